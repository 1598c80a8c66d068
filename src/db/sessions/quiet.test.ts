import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { aSession, type TestApp, testApp } from '../../../test/app.ts'
import { isUnchanged, newsTo } from '../../core/audience/news.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import { isBookable } from '../../core/time/occurrences.ts'
import { findDatedSession } from './sessions.ts'

/** What happens to a session, quietly or not, by hand or by another program; and that an edition begins, ends or is shown. */
type Step =
  | { does: 'move'; hour: number; quiet: boolean }
  | { does: 'open' | 'close'; quiet: boolean }
  | { does: 'replace' | 'edition' }
  | { does: 'show'; reader: number }

const quiet = fc.boolean()
const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('move' as const), hour: fc.integer({ min: 10, max: 11 }), quiet }),
  fc.record({ does: fc.constantFrom('open' as const, 'close' as const), quiet }),
  { weight: 2, arbitrary: fc.record({ does: fc.constant('show' as const), reader: fc.nat({ max: 1 }) }) },
  fc.record({
    does: fc.constantFrom('edition' as const, 'edition' as const, 'edition' as const, 'replace' as const),
  }),
)

/** A reader: the start they were shown, or that replaced it quietly, and whether the session was news since. */
type Reader = { mark: number; holds: string | null; newsSince: boolean }
type Edition = { id: string; throughSeq: number; offers: boolean; left: Set<Reader> }
type World = { app: TestApp; id: number; readers: Reader[]; edition: Edition | null; passedWithout: boolean }

test('whoever has not seen a session is shown it once, and nobody who has hears of a quiet correction', async () => {
  const app = await testApp()
  const property = fc.asyncProperty(fc.array(STEP, { minLength: 6, maxLength: 20 }), async (steps) => {
    const readers = [0, 1].map((): Reader => ({ mark: 0, holds: null, newsSince: false }))
    const world: World = { app, id: aSession(app), readers, edition: null, passedWithout: false }
    for (const step of steps) await take(world, step)
    if (world.edition !== null) endEdition(world, world.edition)
  })
  await fc.assert(property, { numRuns: 40 })
}, 60_000)

async function take(world: World, step: Step): Promise<void> {
  const { edition } = world
  const session = await sessionOf(world)
  if (step.does === 'edition') return edition ? endEdition(world, edition) : beginEdition(world, session)
  if (step.does !== 'show') return change(world, step, session)
  const reader = world.readers[step.reader]
  if (edition && reader && edition.left.delete(reader)) show(world, edition, reader, session)
}

/** As a batch is frozen: what can still be booked and is unchanged, for one reader. Their mark moves in any case. */
function show({ app }: World, edition: Edition, reader: Reader, session: DatedSession): void {
  const offered = edition.offers && isBookable(session, app.now()) && isUnchanged(session, edition.throughSeq)
  const seen = { general: reader.mark, byTopic: new Map() }
  const heard = offered && newsTo(session, null, seen, edition.throughSeq) !== null
  reader.mark = edition.throughSeq
  if (heard && reader.holds !== null) expect(reader.newsSince).toBe(true)
  if (offered && !heard) expect(reader.holds).toBe(session.startsAtLocal)
  if (heard) Object.assign(reader, { holds: session.startsAtLocal, newsSince: false })
}

async function change(world: World, step: Exclude<Step, { does: 'edition' | 'show' }>, before: DatedSession) {
  const { app, id, readers } = world
  const { $client } = app.db
  const isQuiet = 'quiet' in step && step.quiet
  if (isQuiet) $client.exec(`insert into quiet_changes values (${id})`)
  if (step.does === 'move')
    $client.exec(`update sessions set starts_at_local = '2026-12-01T${step.hour}:00' where id = ${id}`)
  else if (step.does === 'replace')
    $client.exec(`create temporary table kept as select * from sessions where id = ${id};
      delete from sessions where id = ${id}; insert into sessions select * from kept; drop table kept`)
  else
    $client.exec(`update sessions set status = '${step.does === 'open' ? 'open' : 'full'}' where id = ${id}`)
  $client.exec('delete from quiet_changes')

  const after = await sessionOf(world)
  if (step.does === 'close' && before.status === 'open' && world.edition) world.passedWithout = true
  const isSilent = after.seq === before.seq && after.newsAt === before.newsAt && after.news === before.news
  // By hand it is quiet, unless an edition that is open again went out without it.
  if (isQuiet)
    expect(isSilent).toBe(!(after.status === 'open' && world.passedWithout) || isSame(before, after))
  for (const reader of readers) {
    if (!isQuiet || !isSilent) reader.newsSince = true
    else if (reader.holds === before.startsAtLocal) reader.holds = after.startsAtLocal
  }
  if (before.status !== 'open' && after.status === 'open' && !isSilent) world.passedWithout = false
}

const isSame = (one: DatedSession, other: DatedSession) =>
  one.startsAtLocal === other.startsAtLocal && one.status === other.status

let editions = 0

function beginEdition(world: World, session: DatedSession): void {
  const { $client } = world.app.db
  const id = `e${String((editions += 1)).padStart(9, '0')}`
  const throughSeq = $client.prepare(`select value from counters where name = 'seq'`).pluck().get() as number
  const offers = isBookable(session, world.app.now())
  $client.exec(`insert into editions (id, scheduled_for, state, through_seq, audience_through, created_at)
    values ('${id}', 0, 'submitting', ${throughSeq}, 0, 0)`)
  if (offers)
    $client.exec(`insert into edition_sessions (edition_id, session_id, seq, snapshot)
      values ('${id}', ${world.id}, ${session.seq}, '{}')`)
  else world.passedWithout = true
  world.edition = { id, throughSeq, offers, left: new Set(world.readers) }
}

function endEdition(world: World, { id }: Edition): void {
  world.app.db.$client.exec(`update editions set state = 'submitted' where id = '${id}'`)
  world.edition = null
}

async function sessionOf({ app, id }: World): Promise<DatedSession> {
  const session = await findDatedSession(app.store, id)
  if (session === null) throw new Error('the session is gone')
  return session
}
