import { globSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  ledgerNow,
  makeInstallation,
  rowFor,
  startWorker,
  stopPrograms,
} from './installation.ts'
import { until } from './programs.ts'
import { type Context, plainRow, type Row } from './scenario.ts'

/** The clock when the worker starts, and the edition that must then be sent automatically; null if none may be. */
const STARTS: readonly (readonly [clock: string, edition: string | null, why: string])[] = [
  ['2027-03-08 13:59:57', '2027-03-08', 'a Monday at nine, winter time'],
  ['2027-03-15 12:59:57', '2027-03-15', 'the Monday after clocks went forward'],
  ['2027-03-15 12:00:30', null, 'an hour back'],
  ['2027-03-15 14:30:00', null, 'and on again'],
  ['2027-03-24 12:59:00', '2027-03-22', 'a Monday missed by 47 h 59 min'],
  ['2027-03-31 13:01:00', null, 'a Monday missed by 48 h 1 min'],
  ['2027-04-05 12:59:57', '2027-04-05', 'the Monday after it'],
  ['2027-11-08 13:59:57', '2027-11-08', 'the Monday after clocks went back'],
]

/** The real program, started again and again with its clock set by libfaketime. Redis keeps real time. */
export async function mondays(context: Context): Promise<Row[]> {
  const scenario = 'Mondays under faketime'
  const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1')
  if (library === undefined)
    return [
      plainRow({
        scenario,
        passed: false,
        note: 'needs faketime: sudo apt-get install --no-install-recommends faketime',
      }),
    ]
  const installation = await makeInstallation(context, {
    subscribers: 120,
    settings: {
      DIGEST_DAY: 'monday',
      DIGEST_TIME: '09:00',
      DIGEST_TIME_ZONE: 'America/New_York',
      DIGEST_CATCH_UP_HOURS: '48',
    },
  })
  try {
    const problems: string[] = []
    for (const [clock, edition, why] of STARTS) {
      addSession(installation)
      const env = { LD_PRELOAD: library, FAKETIME: `@${clock}`, FAKETIME_DONT_FAKE_MONOTONIC: '1', TZ: 'UTC' }
      problems.push(...(await startedAt(installation, env, edition, why)))
    }
    const note = `${STARTS.length} starts: both clock changes, an hour back and on, missed by 47:59 and by 48:01`
    return [await rowFor(installation, scenario, { problems, note })]
  } finally {
    await closeInstallation(installation)
  }
}

async function startedAt(
  installation: Installation,
  env: Record<string, string>,
  edition: string | null,
  why: string,
): Promise<string[]> {
  const before = editionsOf(installation)
  const worker = startWorker(installation, { env })
  await until(() => /openseat is running/.test(worker.output()) || worker.hasEnded(), 'the worker runs')
  if (edition === null) await pause(2_500)
  else
    await until(() => editionsOf(installation).includes(edition), 'the edition is there', 15_000).catch(
      () => {},
    )
  await awaitThrough(installation, 15_000)
  await stopPrograms(installation)
  const planned = editionsOf(installation).filter((id) => !before.includes(id))
  if (planned.join() === (edition ?? '')) return []
  return [`${why}: ${planned.join() || 'no edition'} where ${edition ?? 'none'} was due`]
}

const editionsOf = (installation: Installation): string[] =>
  ledgerNow(installation).editions.map(({ id }) => id)

/** News for everyone. */
function addSession({ file }: Installation): void {
  const db = new Database(file, { timeout: 10_000 })
  db.exec(
    `insert into sessions (external_id, group_id, therapist, starts_at_local, time_zone, booking_url)
     select 'n-' || (select count(*) from sessions), min(id), 'Dr. Mira Lee', '2027-12-20T18:30', 'America/New_York', 'https://book.harbor.test/n' from groups`,
  )
  db.close()
}
