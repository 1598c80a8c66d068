import { writeFileSync } from 'node:fs'
import { loadConfig } from '../../src/config.ts'
import { slotAtOrBefore } from '../../src/core/time/calendar.ts'
import { type HashKey, hashEmail, newPublicId } from '../../src/core/tokens.ts'
import { openLog } from '../../src/log.ts'
import { openInstallation } from '../../src/open-installation.ts'
import { type Db, withDb } from '../db.ts'

export const DAY_MS = 86_400_000

/**
 * Creates the database: three sessions, and readers who have seen nothing yet. `sabotage` is SQL that runs last.
 * Returns the id of the edition that is due.
 */
export async function seed(
  settings: Record<string, string>,
  subscribers: number,
  sabotage: string | null,
): Promise<string> {
  const config = loadConfig(settings)
  const installation = withDb(await openInstallation(config, { log: openLog('silent') }))
  try {
    addSessions(installation.db)
    addReaders(installation, subscribers)
    // As if the first start was long ago, so that the slot of two days ago counts as missed.
    const schedule = JSON.stringify({ rule: config.slotRule, since: 0 })
    installation.db.$client
      .prepare("insert into installation (name, value) values ('schedule', ?)")
      .run(schedule)
    if (sabotage) installation.db.$client.exec(sabotage)
    return slotAtOrBefore(config.slotRule, new Date()).editionId
  } finally {
    await installation.close()
  }
}

/** The address of the `n`th reader, counted from 1. */
export const addressOf = (n: number): string => `reader-${n}@sample.test`

function addReaders({ db, hashKey }: { db: Db; hashKey: HashKey }, count: number): void {
  const add = db.$client.prepare(
    `insert into subscribers (public_id, email, email_hash, name, status, time_zone, consent_text, consented_at, created_at)
     values (?, ?, ?, ?, 'active', ?, 'asked on paper', ?, ?)`,
  )
  const since = Date.now() - 30 * DAY_MS
  db.$client.transaction(() => {
    for (let n = 1; n <= count; n += 1) {
      const zone = ['America/New_York', 'America/Chicago', 'Europe/London'][n % 3]
      add.run(
        newPublicId(),
        addressOf(n),
        hashEmail(hashKey, addressOf(n)),
        `Reader ${n}`,
        zone,
        since,
        since,
      )
    }
  })()
}

function addSessions(db: Db): void {
  const addGroup = db.$client
    .prepare(
      "insert into groups (topic_id, kind, title) select id, 'therapy', 'Steady Ground' from topics where slug = ? returning id",
    )
    .pluck()
  const addSession = db.$client.prepare(
    `insert into sessions (external_id, group_id, therapist, starts_at_local, time_zone, seats_total, seats_left, booking_url)
     values (?, ?, 'Dr. Mira Lee', ?, 'America/New_York', 10, ?, ?)`,
  )
  for (const [n, topic] of ['anxiety', 'depression', 'ocd'].entries()) {
    const group = addGroup.get(topic)
    const startsAt = `${new Date(Date.now() + (7 + n) * DAY_MS).toISOString().slice(0, 10)}T18:30`
    addSession.run(`h-${n}`, group, startsAt, 3 + n, `https://book.harbor.test/h-${n}`)
  }
}

/** A CSV of readers who are not on the list yet. */
export function writeReaders(file: string, from: number, count: number): void {
  const lines = Array.from({ length: count }, (_, n) => `${addressOf(from + n)},Reader ${from + n}`)
  writeFileSync(file, `email,name\n${lines.join('\n')}\n`)
}
