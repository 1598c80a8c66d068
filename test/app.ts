import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { planEdition } from '../src/actions/editions/plan.ts'
import { openSubmitter, type SubmitOutcome } from '../src/actions/editions/submit.ts'
import type { App, Overrides } from '../src/app.ts'
import { type Config, loadConfig } from '../src/config.ts'
import { slotAtOrBefore } from '../src/core/time/calendar.ts'
import { type HashKey, hashEmail, newPublicId } from '../src/core/tokens.ts'
import { sql } from '../src/db/drizzle.ts'
import { owedBatches } from '../src/db/ledger/batches.ts'
import { allEditions, tallyOf } from '../src/db/ledger/editions.ts'
import { subscribers, subscriberTopics } from '../src/db/schema/people.ts'
import { groups, sessions, topics } from '../src/db/schema/sessions.ts'
import type { Store } from '../src/db/store.ts'
import { openLog } from '../src/log.ts'
import { openApp } from '../src/open-app.ts'
import { loadTemplates, type Templates } from '../src/templates/load.ts'
import { aDatabase, aStore, type Db, fromSetup, leaveDatabase, onPostgres, postgresAt, withDb } from './db.ts'
import { compileInTest } from './mjml.ts'
import { type ResendStandIn, type StandInOptions, startResendStandIn } from './resend/stand-in.ts'

/** An app as production wires it, on a database of its own, a Redis prefix of its own and a strict Resend stand-in. */
export type TestApp = App & {
  /** The database itself, for rows of the test. */
  db: Db
  resend: ResendStandIn
  queuePrefix: string
  /** Sets the clock of `app.now()`. */
  setNow(iso: string): void
  /** What was logged, as text. */
  logged(): string
  /** Another process's view of the same installation: same database file, Redis and provider. */
  sibling(overrides?: Overrides): Promise<App & { db: Db }>
}

/** A Monday, an hour after the slot of the default settings (09:00 in New York). */
export const MONDAY = '2026-11-23T15:00:00.000Z'
export const LINK_SECRET = 'a link secret for tests that is long enough'

/** For what only SQLite has, such as INSERT OR REPLACE and its own errors. */
export const testOnSqlite = onPostgres ? test.skip : test

const open: { close(): Promise<void> }[] = []
/** Our own templates by palette: reading, checking and compiling them is a third of what a small test takes. */
const templatesByPalette = new Map<string, Templates>()

/** Settings for a test; `settings` as in the environment. */
export function testConfig(settings: Record<string, string> = {}): Config {
  return loadConfig({
    RESEND_API_KEY: 're_stand_in',
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    MAIL_REPLY_TO: 'hello@harbor.test',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET,
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
    ...settings,
  })
}

type TestOptions = Omit<Overrides, 'now' | 'log'> & {
  settings?: Record<string, string>
  resend?: StandInOptions
  /** What the clock shows. */
  at?: string
  file?: boolean
}

/**
 * Opens a test app: a cloned, migrated SQLite (in memory, or a WAL file with `file: true`), the real Redis of the test
 * run, a fixed clock. It is closed after the test, and the sum of every edition is checked then.
 */
export async function testApp(options: TestOptions = {}): Promise<TestApp> {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-test-'))
  const resend = await startResendStandIn({ apiKey: 're_stand_in', ...options.resend })
  const path = join(folder, 'openseat.db')
  const database = onPostgres ? { DATABASE_URL: await aDatabase() } : {}
  const config = testConfig({
    DATABASE_PATH: path,
    RESEND_BASE_URL: resend.url,
    ...database,
    ...options.settings,
  })
  const prefix = `test-${randomUUID()}`
  let now = options.at ?? MONDAY
  const lines: string[] = []
  const log = openLog(config.LOG_LEVEL, { write: (line) => void lines.push(line) })
  const redis = testRedis()
  const { requestTimeoutMs = 5_000, pace = { answerMs: 0, emailDelayMs: () => 0 } } = options
  const clock = { now: () => new Date(now), pace }
  const templates = options.templates ?? (await templatesFor(config))
  const overrides: Overrides = {
    ...clock,
    redis,
    queuePrefix: prefix,
    log,
    requestTimeoutMs,
    ...(options.askLinks && { askLinks: options.askLinks }),
    ...(templates && { templates }),
  }
  const store =
    options.store ??
    (config.DATABASE_URL
      ? await postgresAt(config.DATABASE_URL)
      : await aStore(options.file ? path : undefined))
  open.push({
    async close() {
      await forget(redis.path, prefix)
      await resend.close()
      rmSync(folder, { recursive: true, force: true })
      if (config.DATABASE_URL) await leaveDatabase(config.DATABASE_URL)
    },
  })
  const app = await openApp(config, { ...overrides, store })
  open.push({
    async close() {
      try {
        await expectSums(app.store)
      } finally {
        await app.close()
      }
    },
  })
  return {
    ...withDb(app),
    resend,
    queuePrefix: prefix,
    setNow: (iso) => {
      now = iso
    },
    logged: () => lines.join(''),
    async sibling(more = {}) {
      const other = await openApp(config, { ...overrides, ...more })
      open.push(other)
      return withDb(other)
    },
  }
}

afterEach(async () => {
  const closings: PromiseSettledResult<void>[] = []
  for (const opened of open.splice(0).reverse())
    closings.push(...(await Promise.allSettled([opened.close()])))
  for (const closing of closings) if (closing.status === 'rejected') throw closing.reason
})

/** Undoes something after the test, before the apps opened earlier are closed. */
export function afterTest(close: () => Promise<void>): void {
  open.push({ close })
}

/** `candidates` is the sum of the rest, for every edition, by the tally and by counting the rows. */
async function expectSums(store: Store): Promise<void> {
  for (const { id, prunedAt } of await allEditions(store)) {
    const tally = await tallyOf(store, id)
    const excluded = Object.values(tally.excluded).reduce((sum, count) => sum + count, 0)
    expect(tally.candidates).toBe(tally.submitted + excluded + tally.failed + tally.unknown + tally.waiting)
    if (prunedAt !== null) continue // its rows are gone, and the sum stays
    const rows = await store.read.all<{ state: string; n: number }>(
      sql`select state, count(*) as n from deliveries where edition_id = ${id} group by state`,
    )
    const counted = Object.fromEntries(rows.map(({ state, n }) => [state, n]))
    const { submitted, failed, unknown, waiting } = tally
    const told = { submitted, excluded, failed, unknown, waiting }
    expect(Object.fromEntries(Object.entries(told).filter(([, n]) => n > 0))).toEqual(counted)
  }
}

type SessionSeed = Partial<typeof sessions.$inferInsert> & { topic?: string; group?: string }

/** Adds a weekly session that can be booked; returns its id. */
export function aSession(app: { db: Db }, seed: SessionSeed = {}): number {
  const { topic = 'anxiety', group = 'Steady Ground', ...session } = seed
  const topicId = app.db
    .select()
    .from(topics)
    .all()
    .find(({ slug }) => slug === topic)?.id
  if (topicId === undefined) throw new Error(`no topic ${topic}`)
  app.db.insert(groups).values({ topicId, title: group }).onConflictDoNothing().run()
  const groupId =
    app.db
      .select()
      .from(groups)
      .all()
      .find((row) => row.title === group && row.topicId === topicId)?.id ?? 0
  const row = {
    externalId: randomUUID(),
    groupId,
    therapist: 'Dr. Mira Lee',
    startsAtLocal: '2026-12-01T19:00',
    timeZone: 'America/New_York',
    bookingUrl: 'https://book.harbor.test/steady-ground',
    ...session,
  }
  return app.db.insert(sessions).values(row).returning({ id: sessions.id }).get().id
}

type SubscriberSeed = Partial<typeof subscribers.$inferInsert> & { topics?: string[] }

/** Adds an active subscriber; returns the id. */
export function aSubscriber(
  app: { db: Db; hashKey: HashKey },
  email: string,
  seed: SubscriberSeed = {},
): number {
  const { topics: chosen = [], ...subscriber } = seed
  const row = {
    publicId: newPublicId(),
    email,
    emailHash: hashEmail(app.hashKey, email),
    status: 'active' as const,
    timeZone: 'America/New_York',
    consentText: 'asked on paper',
    consentedAt: Date.parse('2026-11-01T00:00:00Z'),
    createdAt: Date.parse('2026-11-01T00:00:00Z'),
    ...subscriber,
  }
  const { id } = app.db.insert(subscribers).values(row).returning({ id: subscribers.id }).get()
  if (chosen.length === 0) return id
  for (const { id: topicId, slug } of app.db.select().from(topics).all())
    if (chosen.includes(slug))
      app.db.insert(subscriberTopics).values({ subscriberId: id, topicId, chosen: true }).run()
  return id
}

/** Adds `count` subscribers in one go: reader-1@sample.test and so on. */
export function manySubscribers(app: { db: Db; hashKey: HashKey }, count: number): void {
  app.db.$client.transaction(() => {
    for (let n = 1; n <= count; n += 1) aSubscriber(app, `reader-${n}@sample.test`)
  })()
}

/** Gives each waiting delivery whose batch was never attempted a batch of its own. */
export async function oneReaderPerBatch({ db }: { db: Db }): Promise<void> {
  db.$client.exec(`begin;
    insert into batches (edition_id, generation, number, key, state, size, again)
      select d.edition_id, d.generation, 1000000 + d.id, 'openseat/split/' || d.edition_id || '/g' || d.generation || '/b' || (1000000 + d.id),
        'planned', 1, b.again
      from deliveries d join batches b on b.id = d.batch_id
      where d.state = 'waiting' and b.state = 'planned' and b.first_attempt_at is null and b.size > 1;
    update deliveries set batch_id = own.id from batches own
      where own.edition_id = deliveries.edition_id and own.generation = deliveries.generation and own.number = 1000000 + deliveries.id;
    delete from batches where state = 'planned' and id not in (select batch_id from deliveries where batch_id is not null);
    commit`)
}

/** Counts deliveries anew, after a test has written their states itself. */
export function recountTally({ db }: { db: Db }): void {
  db.$client.exec(`begin;
    delete from edition_tally;
    insert into edition_tally (edition_id, generation, state, reason, count)
      select edition_id, generation, state, case state when 'excluded' then reason else '' end, count(*)
      from deliveries group by 1, 2, 3, 4;
    commit`)
}

/** Plans the edition of the slot at or before now, as the weekly job does; returns its id. */
export async function planNow(app: App): Promise<string> {
  const { edition } = await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  return edition.id
}

/** Submits every batch that is owed and due now, in order, without the queue; returns the outcomes. */
export async function submitOwed(app: App): Promise<SubmitOutcome[]> {
  const submitter = openSubmitter(app)
  const outcomes: SubmitOutcome[] = []
  for (const { id } of await owedBatches(app.store, app.now(), 100_000))
    outcomes.push(await submitter.submit(id))
  return outcomes
}

/** Waits until `holds` is true, looking every few milliseconds; fails after `withinMs`. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 40_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`still not so after ${withinMs} ms: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The Redis that the test run started (test/setup.ts). */
export function testRedis(): { path: string } {
  return { path: fromSetup('OPENSEAT_TEST_REDIS') }
}

async function forget(path: string, prefix: string): Promise<void> {
  const redis = new Redis({ path })
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 500 }))
    if ((keys as string[]).length > 0) await redis.del(...(keys as string[]))
  await redis.quit()
}

/** Ours, read once for all tests of a file; an app reads a folder of overrides itself. */
async function templatesFor({ TEMPLATES_PATH, palette }: Config): Promise<Templates | undefined> {
  if (TEMPLATES_PATH !== undefined) return undefined
  const key = JSON.stringify(palette)
  const templates = templatesByPalette.get(key) ?? (await loadTemplates({ palette, compile: compileInTest }))
  templatesByPalette.set(key, templates)
  return templates
}
