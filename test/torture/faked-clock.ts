import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSubmitter } from '../../src/actions/editions/submit.ts'
import { recordStart } from '../../src/actions/editions/sweep.ts'
import { submitNotice } from '../../src/actions/subscribers/notices.ts'
import type { App } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { SlotRule } from '../../src/core/time/calendar.ts'
import { hashEmail, newPublicId } from '../../src/core/tokens.ts'
import { owedBatches } from '../../src/db/ledger/batches.ts'
import { owedNotices } from '../../src/db/people/notices.ts'
import { openLog } from '../../src/log.ts'
import { openApp } from '../../src/open-app.ts'
import { sweep } from '../../src/recurring.ts'
import { dbOf } from '../db.ts'
import { type ResendStandIn, startResendStandIn } from '../resend/stand-in.ts'
import { LINK_SECRET, WEBHOOK_SECRET } from './installation.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** An installation in this process whose clock only moves when it is set. The provider has a clock of its own. */
export type Faked = {
  app: App
  resend: ResendStandIn
  /** Sets the machine's clock. */
  setClock(at: Date): void
  /** Sets the provider's clock, by which keys expire. Until the first call, it follows `setClock`. */
  setProviderClock(at: Date): void
  close(): Promise<void>
}

/** Opens an installation in `folder` with `readers` people, which follows `rule` from `at` on. */
export async function openFaked(options: {
  folder: string
  redis: string
  at: Date
  readers: number
  rule?: SlotRule
}): Promise<Faked> {
  let now = options.at
  let atProvider: Date | null = null
  const resend = await startResendStandIn({
    apiKey: 're_torture',
    now: () => (atProvider ?? now).getTime(),
  })
  const config = loadConfig({
    DATABASE_PATH: join(options.folder, 'openseat.db'),
    RESEND_API_KEY: 're_torture',
    RESEND_BASE_URL: resend.url,
    RESEND_REQUESTS_PER_SECOND: '1000',
    RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET,
    FIRST_WAVE: 'off',
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET,
    LOG_LEVEL: 'silent',
  })
  if (options.rule) config.slotRule = options.rule // rules that the settings do not allow, such as midnight, are tested too
  const app = await openApp(config, {
    now: () => now,
    redis: { url: options.redis },
    queuePrefix: `faked-${randomUUID()}`,
    log: openLog('silent'),
    requestTimeoutMs: 500,
  })
  addReaders(app, options.readers, options.at)
  await recordStart(app)
  return {
    app,
    resend,
    setClock: (at) => {
      now = at
    },
    setProviderClock: (at) => {
      atProvider = at
    },
    async close() {
      await app.close()
      await resend.close()
    },
  }
}

/** Does what the worker does at a wake-up: sweeps, and submits what is owed and due. */
export async function work({ app }: Faked): Promise<void> {
  await sweep(app)
  for (const { id } of await owedBatches(app.store, app.now(), 1_000)) await openSubmitter(app).submit(id)
  for (const { id } of await owedNotices(app.store, app.now(), 1_000)) await submitNotice(app, id)
  await sweep(app)
}

/** Adds someone for whom editions wait. */
export function addApprover({ app }: Faked): void {
  dbOf(app.store).$client.exec(
    "insert into operators (email, role, created_at, password_hash) values ('operator@sample.test', 'owner', 1, 'chosen')",
  )
}

/** Adds news: a session ten days after `at`, by plain SQL as a booking system would. */
export function addNews({ app }: Faked, at: Date): void {
  const sqlite = dbOf(app.store).$client
  sqlite
    .prepare(
      `insert or ignore into groups (topic_id, kind, title) select id, 'therapy', 'Steady Ground' from topics where slug = 'anxiety'`,
    )
    .run()
  const startsAt = new Date(at.getTime() + 10 * DAY_MS).toISOString().slice(0, 10)
  sqlite
    .prepare(
      `insert into sessions (external_id, group_id, therapist, starts_at_local, time_zone, repeats, booking_url)
       select ?, id, 'Dr. Mira Lee', ?, 'America/New_York', 'once', 'https://book.harbor.test/a' from groups where title = 'Steady Ground'`,
    )
    .run(randomUUID(), `${startsAt}T19:00`)
}

function addReaders({ store, hashKey }: App, count: number, at: Date): void {
  const db = dbOf(store)
  const add = db.$client.prepare(
    `insert into subscribers (public_id, email, email_hash, status, time_zone, consent_text, consented_at, created_at)
     values (?, ?, ?, 'active', 'America/New_York', 'asked on paper', ?, ?)`,
  )
  db.$client.transaction(() => {
    for (let n = 1; n <= count; n += 1) {
      const email = `reader-${n}@sample.test`
      add.run(newPublicId(), email, hashEmail(hashKey, email), at.getTime(), at.getTime())
    }
  })()
}
