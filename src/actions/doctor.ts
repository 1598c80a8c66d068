import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Ledger, openLedger } from '../app.ts'
import type { Config } from '../config.ts'
import { breakerReason } from '../core/breaker.ts'
import { nextSlot } from '../core/calendar.ts'
import { formatOccurrence } from '../core/occurrences.ts'
import { allEditions, type Edition } from '../db/editions.ts'
import { appliedMigrations, damageIn } from '../db/health.ts'
import type { Logger } from '../log.ts'
import { type Check, checkMail } from '../mail-check.ts'
import { summaryOf } from './show-edition.ts'

const GB = 1024 ** 3

/**
 * Looks at everything the weekly mail depends on and says how to mend what is wrong. It sends no mail and changes
 * nothing, save that an older database is brought to the newest schema. Never throws: trouble is a check.
 */
export async function examine(
  config: Config,
  { log, now }: { log: Logger; now: () => Date },
): Promise<Check[]> {
  const settings: Check = { name: 'settings', status: 'ok', detail: 'complete and valid' }
  const [mail, redis] = await Promise.all([
    checkMail({ apiKey: config.RESEND_API_KEY, baseUrl: config.RESEND_BASE_URL, from: config.MAIL_FROM }),
    checkQueue(config, log),
  ])
  const workers = redis.workers
  return [
    settings,
    ...(await checkDatabase(config, { log, now, workers })),
    await checkDisk(config),
    redis.check,
    ...mail,
    ...checkWeb(config),
    schedule(config, now()),
  ]
}

async function checkDatabase(
  config: Config,
  { log, now, workers }: { log: Logger; now: () => Date; workers: number | null },
): Promise<Check[]> {
  const name = 'database'
  const path = resolve(config.DATABASE_PATH)
  if (!(await exists(path)))
    return [{ name, status: 'ok', detail: `${path} is not there yet; the first start creates it` }]
  let ledger: Ledger | undefined
  try {
    ledger = await openLedger(config, { log, now })
    const damage = await damageIn(ledger.db)
    if (damage.length > 0)
      return [
        {
          name,
          status: 'fail',
          detail: `${path} is damaged: ${damage[0]}`,
          mend: 'Stop openseat and put the last backup in its place.',
        },
      ]
    const sound: Check = {
      name,
      status: 'ok',
      detail: `${path} is sound (migration ${await appliedMigrations(ledger.db)})`,
    }
    return [sound, ...(await checkEditions(ledger, workers))]
  } catch (error) {
    const mend =
      'See that DATABASE_PATH is right, that you may write there, and that LINK_SECRET is the one it was made with.'
    return [{ name, status: 'fail', detail: (error as Error).message, mend }]
  } finally {
    await ledger?.close()
  }
}

async function checkEditions(ledger: Ledger, workers: number | null): Promise<Check[]> {
  const editions = await allEditions(ledger.db)
  const [newest] = editions
  if (!newest) return [{ name: 'last edition', status: 'ok', detail: 'none yet' }]
  const checks: Check[] = []
  const last = await summaryOf(ledger, newest.id)
  if (last) {
    const lost = last.failed + last.unknown
    const detail = `${last.id} is ${last.state}: ${last.submitted} submitted, ${last.failed} failed, ${last.unknown} unknown, ${last.waiting} waiting`
    const mend = `See them with: openseat edition show ${last.id}`
    checks.push({ name: 'last edition', detail, ...(lost > 0 ? { status: 'warn', mend } : { status: 'ok' }) })
    checks.push(...tooManyReturns(newest, last.submitted, ledger.config))
  }
  for (const { id, state, pauseReason } of editions) {
    const name = 'unfinished'
    if (state === 'paused')
      checks.push({
        name,
        status: 'warn',
        detail: `${id} is paused: ${pauseReason}`,
        mend: `Mend that, then: openseat edition resume ${id}`,
      })
    if ((state === 'planning' || state === 'submitting') && workers === 0)
      checks.push({
        name,
        status: 'warn',
        detail: `${id} is ${state} and no worker is running`,
        mend: 'openseat start',
      })
  }
  return checks
}

// One that is paused for it says so itself; this is for reports that came too late to pause anything.
function tooManyReturns(edition: Edition, submitted: number, config: Config): Check[] {
  const reason = edition.state === 'paused' ? null : breakerReason({ ...edition, submitted }, config)
  if (reason === null) return []
  const detail = `${edition.id}: ${reason}`
  const mend = 'Find out why at resend.com/emails before the next edition: Resend may pause the account.'
  return [{ name: 'bounces', status: 'warn', detail, mend }]
}

async function checkDisk(config: Config): Promise<Check> {
  const name = 'disk'
  const folder = await nearestFolder(dirname(resolve(config.DATABASE_PATH)))
  try {
    await access(folder, constants.W_OK)
  } catch {
    return {
      name,
      status: 'fail',
      detail: `${folder} cannot be written`,
      mend: 'Give the user of openseat the right to write there, or change DATABASE_PATH.',
    }
  }
  const { bavail, bsize } = await statfs(folder)
  const free = (bavail * bsize) / GB
  const detail = `${free.toFixed(1)} GB free in ${folder}`
  const mend = 'Make room: when the disk is full no mail is submitted.'
  if (free >= 1) return { name, status: 'ok', detail }
  return { name, status: free < 0.1 ? 'fail' : 'warn', detail, mend }
}

async function checkQueue(config: Config, log: Logger): Promise<{ check: Check; workers: number | null }> {
  const name = 'Redis'
  const closers: (() => Promise<void>)[] = []
  try {
    const { address, where } = await redisOf(config, log, closers)
    const { openQueue } = await import('../queue.ts')
    // Opening it checks version, rights and policy, and says how to mend each.
    const queue = await openQueue({ redis: address, prefix: 'openseat', log })
    closers.push(() => queue.close())
    const workers = await queue.workers()
    const working = workers ? `${workers} at work` : 'no worker running now'
    return { check: { name, status: 'ok', detail: `${where}, keeps what is queued; ${working}` }, workers }
  } catch (error) {
    return { check: { name, status: 'fail', detail: (error as Error).message }, workers: null }
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

async function redisOf(config: Config, log: Logger, closers: (() => Promise<void>)[]) {
  if (config.REDIS_URL) return { address: { url: config.REDIS_URL }, where: new URL(config.REDIS_URL).host }
  const { findProgram, redisServer } = await import('../find-program.ts')
  const { startPrivateRedis } = await import('../private-redis.ts')
  const binary = findProgram(redisServer)
  const redis = await startPrivateRedis({ folder: `${resolve(config.DATABASE_PATH)}.redis`, binary, log })
  closers.push(() => redis.close())
  return { address: redis.connection, where: `a private one (${binary}), as REDIS_URL is not set` }
}

function checkWeb({ PUBLIC_URL, RESEND_WEBHOOK_SECRET }: Config): Check[] {
  const mendUrl = 'Put the pages behind https before mailing anyone: one-click unsubscribing needs it.'
  const mendHook = `Add a webhook at resend.com/webhooks to ${PUBLIC_URL}/webhooks/resend, and put its secret in RESEND_WEBHOOK_SECRET.`
  return [
    PUBLIC_URL.startsWith('https://')
      ? { name: 'public address', status: 'ok', detail: PUBLIC_URL }
      : { name: 'public address', status: 'warn', detail: `${PUBLIC_URL} is not https`, mend: mendUrl },
    RESEND_WEBHOOK_SECRET
      ? { name: 'webhook', status: 'ok', detail: 'its secret is set' }
      : {
          name: 'webhook',
          status: 'warn',
          detail: 'RESEND_WEBHOOK_SECRET is not set, so bounces and complaints are not learned of',
          mend: mendHook,
        },
  ]
}

function schedule({ slotRule, DIGEST_CATCH_UP_HOURS }: Config, now: Date): Check {
  const { editionId, at } = nextSlot(slotRule, now)
  const { weekday, date, time, zoneName } = formatOccurrence(at, slotRule.timeZone, 'en')
  const detail = `${editionId}, due ${weekday}, ${date}, ${time} ${zoneName}; made up for until ${DIGEST_CATCH_UP_HOURS} h late`
  return { name: 'next edition', status: 'ok', detail }
}

async function nearestFolder(path: string): Promise<string> {
  return (await exists(path)) || path === dirname(path) ? path : nearestFolder(dirname(path))
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
