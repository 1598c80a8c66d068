import { type Config, loadConfig } from '../src/config.ts'
import { type HashKey, hashEmail, newPublicId } from '../src/core/tokens.ts'
import { openLog } from '../src/log.ts'
import { openInstallation } from '../src/open-installation.ts'
import { type Db, dbOf } from '../test/db.ts'
import { pick, readerAt } from './list.ts'
import { benchEnvironment, dateAfterSlot } from './settings.ts'

/** Formats log lines as in production, then discards them. */
export const quietLog = () => openLog('info', { write: () => {} })

/** Settings for the installation in `file`, which submits to `providerUrl`. The default `rate` is too high to matter. */
export const benchConfig = (file: string, providerUrl: string, rate = '1000'): Config =>
  loadConfig(benchEnvironment(file, providerUrl, rate))

/** Creates an installation in `file`: 15 sessions in five topics, and `subscribers` active readers who have seen nothing yet. */
export async function makeInstallation(file: string, subscribers: number): Promise<void> {
  const installation = await openInstallation(benchConfig(file, 'http://127.0.0.1:9'), {
    log: quietLog(),
  })
  const { store, hashKey } = installation
  const db = dbOf(store)
  // The random keys of a million rows do not fit into the default cache of 2 MB; pages would be rewritten again and again.
  for (const setting of ['synchronous = OFF', 'cache_size = -500000', 'secure_delete = OFF'])
    db.$client.pragma(setting)
  addSessions(db)
  addSubscribers(db, hashKey, subscribers)
  db.$client.pragma('wal_checkpoint(TRUNCATE)')
  await installation.close()
}

const TOPICS = ['anxiety', 'depression', 'dbt-skills', 'grief-and-loss', 'trauma-and-ptsd']
const THERAPISTS = ['Dr. Mira Lee', 'Sam Ortiz, LCSW', 'Dr. Noor Haddad', 'Jo Whitfield, LMFT']
const GROUPS = ['Steady Ground', 'Open Water', 'Second Wind']
const DAYS = [8, 9, 10, 11, 12].map(dateAfterSlot)

function addSessions(db: Db): void {
  const topicId = db.$client.prepare<[string], number>('select id from topics where slug = ?').pluck()
  const addGroup = db.$client.prepare('insert into groups (topic_id, kind, title) values (?, ?, ?)')
  const addSession = db.$client.prepare(
    `insert into sessions (external_id, group_id, therapist, starts_at_local, time_zone, seats_total, seats_left, booking_url)
     values (?, ?, ?, ?, 'America/New_York', 10, ?, ?)`,
  )
  let n = 0
  for (const topic of TOPICS)
    for (const title of GROUPS) {
      const kind = topic === 'dbt-skills' ? 'skills' : 'therapy'
      const { lastInsertRowid: group } = addGroup.run(topicId.get(topic), kind, title)
      const startsAt = `${pick(DAYS, n)}T${10 + (n % 10)}:30`
      addSession.run(
        `h-${n}`,
        group,
        pick(THERAPISTS, n),
        startsAt,
        1 + (n % 9),
        `https://book.harbor.test/h-${n}`,
      )
      n += 1
    }
}

function addSubscribers(db: Db, hashKey: HashKey, count: number): void {
  const topicId = db.$client.prepare<[string], number>('select id from topics where slug = ?').pluck()
  const ids = new Map(TOPICS.map((topic) => [topic, topicId.get(topic)]))
  const add = db.$client.prepare(
    `insert into subscribers (public_id, email, email_hash, name, status, time_zone, consent_text, consented_at, created_at)
     values (?, ?, ?, ?, 'active', ?, 'asked on paper', ?, ?)`,
  )
  const choose = db.$client.prepare(
    'insert into subscriber_topics (subscriber_id, topic_id, chosen) values (?, ?, 1)',
  )
  const since = Date.now() - 20 * 86_400_000
  db.$client.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      const { email, name, timeZone, topics } = readerAt(n)
      const { lastInsertRowid: id } = add.run(
        newPublicId(),
        email,
        hashEmail(hashKey, email),
        name,
        timeZone,
        since,
        since,
      )
      for (const topic of topics) choose.run(id, ids.get(topic))
    }
  })()
}

if (import.meta.main) await makeInstallation(process.argv[2] ?? '', Number(process.argv[3]))
