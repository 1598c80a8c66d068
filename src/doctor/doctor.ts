import { stat } from 'node:fs/promises'
import { checkAccount } from '../actions/provider/mail-checks.ts'
import type { Installation } from '../app.ts'
import { type Config, databaseIn } from '../config.ts'
import { nextSlot } from '../core/time/calendar.ts'
import { formatOccurrence } from '../core/time/occurrences.ts'
import { appliedMigrations, damageIn } from '../db/checks.ts'
import { countReaders } from '../db/people/subscribers.ts'
import type { Logger } from '../log.ts'
import { openInstallation } from '../open-installation.ts'
import { queuePrefix } from '../open-queue.ts'
import type { Check } from '../resend/check.ts'
import { checkEditions } from './editions.ts'
import { checkDisk, checkQueue } from './machine.ts'
import { checkOperators, checkRecord } from './operators.ts'
import { isTrial } from './trial.ts'
import { checkWeb } from './web.ts'

/**
 * Checks everything that the weekly email depends on, and says how to fix what is wrong. Sends no email, and changes nothing
 * except that it migrates an older database. Never throws: a failure is a check.
 */
export async function examine(
  config: Config,
  { log, now }: { log: Logger; now: () => Date },
): Promise<Check[]> {
  const { installation, checks } = await openDatabase(config, { log, now })
  try {
    const [mail, redis, web, disk] = await Promise.all([
      checkAccount(
        { config, installation, now: now() },
        installation && (await countReaders(installation.store)),
      ),
      checkQueue(config, log, installation ? queuePrefix(installation) : 'openseat'),
      checkWeb(config),
      config.DATABASE_URL === undefined ? checkDisk(config) : [],
    ])
    const editions = installation ? await checkEditions(installation, redis.workers) : []
    return [
      checkSettings(config),
      ...checks,
      ...editions,
      ...disk,
      redis.check,
      ...mail,
      ...web,
      schedule(config, now()),
      ...(installation ? [...(await checkOperators(installation)), await checkRecord(installation)] : []),
    ]
  } finally {
    await installation?.close()
  }
}

function checkSettings(config: Config): Check {
  const { NODE_ENV, PUBLIC_URL, RESEND_BASE_URL } = config
  const name = 'settings'
  if (isTrial(config)) {
    const detail = `a trial on this machine: email goes to ${RESEND_BASE_URL}, not to Resend, and reaches no one`
    return { name, status: 'ok', detail }
  }
  if (RESEND_BASE_URL)
    return {
      name,
      status: 'warn',
      detail: `email goes to ${RESEND_BASE_URL}, not to Resend`,
      fix: 'Unless this is a trial, leave RESEND_BASE_URL unset.',
    }
  if (NODE_ENV !== 'production' && PUBLIC_URL.startsWith('https:'))
    return {
      name,
      status: 'warn',
      detail: `NODE_ENV is ${NODE_ENV}, so nothing unsafe is refused`,
      fix: 'Set NODE_ENV=production where you email real people.',
    }
  return { name, status: 'ok', detail: 'complete and valid' }
}

async function openDatabase(
  config: Config,
  { log, now }: { log: Logger; now: () => Date },
): Promise<{ installation: Installation | null; checks: Check[] }> {
  const name = 'database'
  const path = databaseIn(config)
  if (config.DATABASE_URL === undefined && (await isMissing(path)))
    return {
      installation: null,
      checks: [{ name, status: 'ok', detail: `${path} is not there yet; the first start creates it` }],
    }
  let installation: Installation | null = null
  try {
    installation = await openInstallation(config, { log, now })
    const [damage] = await damageIn(installation.store)
    const detail = `${path} is sound (migration ${await appliedMigrations(installation.store)})`
    if (damage === undefined) return { installation, checks: [{ name, status: 'ok', detail }] }
    const fix = 'Stop Openseat and restore the last backup.'
    await installation.close()
    return {
      installation: null,
      checks: [{ name, status: 'fail', detail: `${path} is damaged: ${damage}`, fix }],
    }
  } catch (error) {
    const fix =
      'See that DATABASE_PATH or DATABASE_URL is right, that you may write there, and that LINK_SECRET is the one it was made with.'
    await installation?.close()
    return { installation: null, checks: [{ name, status: 'fail', detail: (error as Error).message, fix }] }
  }
}

function schedule({ slotRule, DIGEST_CATCH_UP_HOURS }: Config, now: Date): Check {
  const { editionId, at } = nextSlot(slotRule, now)
  const { weekday, date, time, zoneName } = formatOccurrence(at, slotRule.timeZone, 'en')
  const detail = `${editionId}, due ${weekday}, ${date}, ${time} ${zoneName} (if missed, still sent up to ${DIGEST_CATCH_UP_HOURS} hours late)`
  return { name: 'next edition', status: 'ok', detail }
}

const isMissing = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    () => true,
  )
