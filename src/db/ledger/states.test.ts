import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Db, dbOf } from '../../../test/db.ts'
import { eq } from '../drizzle.ts'
import { batches, deliveries } from '../schema/ledger.ts'
import { sessionsVersion } from '../sessions/sessions.ts'
import { openSqlite } from '../sqlite/open.ts'
import type { Store } from '../store.ts'
import { claimBatch, closeEmptyBatch, freezeBatch, recordSubmission, returnBatch } from './batch-claims.ts'
import { endAbandonedBatches, markUnknown, settleUnknown } from './batch-states.ts'
import { type Batch, findBatch } from './batches.ts'
import { type Checked, openDeliveries } from './deliveries.ts'
import { acceptUnknown, detachDeliveries, proveAccepted } from './delivery-states.ts'
import {
  addGeneration,
  beginEdition,
  cancelEdition,
  cancelHalfPlanned,
  finishEdition,
  finishPlanning,
  recordCancelled,
  supersedeBefore,
} from './edition-states.ts'
import { recordVerdicts } from './verdicts.ts'

const NOW = new Date('2026-11-23T14:00:00Z')
const TWO_MINUTES_LATER = new Date('2026-11-23T14:02:00Z')
const README = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
const DB = join(import.meta.dirname, '..')
const SRC = join(DB, '..')

let store: Store
let db: Db
beforeEach(() => {
  store = openSqlite(':memory:')
  db = dbOf(store)
  for (let n = 1; n <= 4; n += 1)
    db.$client
      .prepare(
        `insert into subscribers (id, public_id, email, email_hash, status, time_zone, created_at)
         values (?, ?, ?, ?, 'active', 'UTC', 1)`,
      )
      .run(n, `p${n}`, `reader-${n}@sample.test`, `h${n}`)
  watch()
})
afterEach(() => store.close())

test('every transition that the README draws happens, and no other', async () => {
  await submitted('2026-01-05')
  await lateAnswer('2026-01-12')
  await provenWhileUnknown('2026-01-19')
  await provenWhileWaiting('2026-01-26')
  await returnedAndAnswered('2026-02-02')
  await cancelled('2026-02-09')
  await cancelledWhileClaimed('2026-02-16')
  await endedWhilePlanning()
  for (const machine of ['editions', 'batches', 'deliveries'] as const)
    expect([machine, happened(machine)]).toEqual([machine, drawn(machine).map(({ arrow }) => arrow)])
})

test('each function at an arrow of the README is in the file of its machine', () => {
  for (const [machine, files] of Object.entries(FILES)) {
    const source = files.map((file) => readFileSync(join(DB, 'ledger', file), 'utf8')).join('\n')
    for (const name of drawn(machine).flatMap(({ functions }) => functions))
      expect([name, new RegExp(`function ${name}[<(]`).test(source)]).toEqual([name, true])
  }
})

test('no other file writes a state', () => {
  const writers = sources().flatMap(([path, source]) => (writesState(source) ? [path] : []))
  expect(writers.sort()).toEqual(
    Object.values(FILES)
      .flat()
      .map((file) => `db/ledger/${file}`)
      .sort(),
  )
})

test.each([
  ["db.update(batches).set({ state: 'planned' }).run()", true],
  ['tx\n  .update(editions)\n  .set(change)', true],
  ['tx.insert(deliveries).values(row)', true],
  ['prepare("update deliveries set reason = ?, state = \'failed\' where id = ?")', true],
  ['`insert into batches (id) values (1)`', true],
  ['tx.update(editions).set({ plannedThrough: through }).where(mine)', false],
  ['tx.update(editions).set({ [counted]: sql`${editions[counted]} + 1` }).where(own)', false],
  ['run(`update deliveries set batch_id = null where state = 1`)', false],
])('%j writes a state: %s', (source, writes) => {
  expect(writesState(source)).toBe(writes)
})

const FILES = {
  editions: ['edition-states.ts'],
  batches: ['batch-claims.ts', 'batch-states.ts'],
  deliveries: ['delivery-states.ts'],
}

/** What cannot be read at a glance counts as a write: an insert, or a change that is not written out. */
function writesState(source: string): boolean {
  const built =
    /\.(update|insert)\((?:batches|deliveries|editions)\)\s*(\.set\(\{(.*?)\}\)\s*\.(?:where|run)\b)?/gs
  const sql =
    /\b(insert (?:or \w+ )?into|update) (?:batches|deliveries|editions)\b(?:[^'"`]*?\bset\b)?(.*?)(?:\bwhere\b|['"`]|$)/gis
  return (
    [...source.matchAll(built)].some(([, verb, set, change = '']) =>
      verb === 'insert' || set === undefined ? true : /\bstate\b/.test(change),
    ) ||
    [...source.matchAll(sql)].some(([, verb = '', change = '']) =>
      verb.toLowerCase() === 'update' ? /\bstate\b/.test(change) : true,
    )
  )
}

function sources(): [path: string, source: string][] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => [path, readFileSync(join(SRC, path), 'utf8')])
}

/** The arrows of a machine in the README, with the functions that make them. */
function drawn(machine: string): { arrow: string; functions: string[] }[] {
  const section = new RegExp(`^## ${machine}\\n(.*?)^\`\`\`$`, 'ims').exec(README)?.[1] ?? ''
  return [...section.matchAll(/^ {2}(\S+ --> \S+): (.+)$/gm)]
    .map(([, arrow = '', functions = '']) => ({ arrow, functions: functions.split(', ') }))
    .sort((a, b) => (a.arrow < b.arrow ? -1 : 1))
}

function watch(): void {
  db.$client.exec('create temp table happened (machine text, arrow text, primary key (machine, arrow))')
  for (const machine of Object.keys(FILES))
    db.$client.exec(`
      create temp trigger ${machine}_added after insert on main.${machine}
        begin insert or ignore into happened values ('${machine}', '[*] --> ' || new.state); end;
      create temp trigger ${machine}_changed after update of state on main.${machine} when new.state <> old.state
        begin insert or ignore into happened values ('${machine}', old.state || ' --> ' || new.state); end`)
}

const happened = (machine: string): unknown[] =>
  db.$client.prepare('select arrow from happened where machine = ? order by arrow').pluck().all(machine)

/** An edition with three recipients and one who is excluded. */
async function planned(id: string): Promise<number> {
  const begun = { id, scheduledFor: NOW, throughSeq: 1, offers: [] }
  await beginEdition(store, begun, NOW)
  const verdicts = [1, 2, 3, 4].map((subscriberId) => ({
    subscriberId,
    seenThrough: 0,
    exclusion: subscriberId === 4 ? ('nothing-new' as const) : null,
  }))
  await recordVerdicts(store, { editionId: id, installation: 'here' }, 0, verdicts)
  await finishPlanning(store, id, { wave: false }, NOW)
  return batchOf(id).id
}

const batchOf = (id: string): Batch =>
  db.select().from(batches).where(eq(batches.editionId, id)).all().at(-1) as Batch

const waitingIn = (batchId: number) =>
  db
    .select()
    .from(deliveries)
    .where(eq(deliveries.batchId, batchId))
    .all()
    .filter(({ state }) => state === 'waiting')

const CLAIM = { by: 'a worker', at: NOW, gone: null }

async function checkedNow(id: number): Promise<Checked> {
  const { readers } = await openDeliveries(store.read, id)
  return { readers, sessionsVersion: await sessionsVersion(store) }
}

async function claimed(id: number): Promise<Batch> {
  return (await claimBatch(store, id, CLAIM)) as Batch
}

async function frozen(id: number): Promise<Batch> {
  const found = (await findBatch(store, id)) as Batch
  const contents = { template: '{}', templateHash: 't', offers: '[]', offersHash: 'o', bodyHash: 'b' }
  const readers = waitingIn(id).map((delivery) => ({ id: delivery.id, frozen: '{}', shown: '1' }))
  const checked = await checkedNow(id)
  await freezeBatch(store, found, CLAIM, { ...contents, frozen: readers, excluded: [], failed: [], checked })
  return (await findBatch(store, id)) as Batch
}

async function answer(batch: Batch): Promise<boolean> {
  const [first, ...others] = db.select().from(deliveries).where(eq(deliveries.batchId, batch.id)).all()
  const receipts = [
    { deliveryId: first?.id ?? 0, covered: null, refused: 'no such mailbox' },
    ...others.map(({ id }) => ({ deliveryId: id, covered: null, id: `mail-${id}` })),
  ]
  return recordSubmission(store, batch, receipts, NOW)
}

async function submitted(id: string): Promise<void> {
  await answer(await frozen(await planned(id)))
  await finishEdition(store, id, NOW)
  const verdicts = [1, 2].map((subscriberId) => ({ subscriberId, seenThrough: 0, exclusion: null }))
  await addGeneration(
    store,
    id,
    { verdicts, again: true, corrects: null, installation: 'here', note: 'all' },
    NOW,
  )
  const batch = batchOf(id)
  const [one, two] = waitingIn(batch.id)
  const ended = {
    excluded: [{ id: one?.id ?? 0, reason: 'suppressed' as const }],
    failed: [{ id: two?.id ?? 0, reason: 'bad time zone' }],
  }
  await closeEmptyBatch(store, batch.id, CLAIM, { ...ended, checked: await checkedNow(batch.id) })
  await finishEdition(store, id, NOW)
}

async function lateAnswer(id: string): Promise<void> {
  const batch = await frozen(await planned(id))
  await markUnknown(store, batch.id, 'no answer')
  await answer(batch)
  await finishEdition(store, id, NOW)
}

async function provenWhileUnknown(id: string): Promise<void> {
  const batch = await frozen(await planned(id))
  await returnBatch(store, batch, { refused: false, nextAttemptAt: null, reason: 'no answer' })
  await markUnknown(store, batch.id, 'no answer')
  for (const delivery of db.select().from(deliveries).where(eq(deliveries.batchId, batch.id)).all())
    await store.write((tx) => acceptUnknown(tx, delivery))
  await store.write((tx) => settleUnknown(tx, batch.id))
  await finishEdition(store, id, NOW)
}

async function provenWhileWaiting(id: string): Promise<void> {
  const batch = await frozen(await planned(id))
  for (const delivery of waitingIn(batch.id))
    await store.write((tx) => proveAccepted(tx, delivery.id, `mail-${delivery.id}`))
  await markUnknown(store, batch.id, 'no answer')
  await finishEdition(store, id, NOW)
}

async function returnedAndAnswered(id: string): Promise<void> {
  const batch = await frozen(await planned(id))
  await returnBatch(store, batch, { refused: false, nextAttemptAt: null, reason: 'no answer' })
  await answer(batch)
  await finishEdition(store, id, NOW)
}

async function cancelled(id: string): Promise<void> {
  await planned(id)
  await store.write((tx) => detachDeliveries(tx, 1))
  await cancelEdition(store, id, NOW)
}

async function cancelledWhileClaimed(id: string): Promise<void> {
  await claimed(await planned(id))
  await cancelEdition(store, id, NOW)
  await endAbandonedBatches(store, TWO_MINUTES_LATER)
}

async function endedWhilePlanning(): Promise<void> {
  for (const id of ['2026-03-02', '2026-03-09'])
    await beginEdition(store, { id, scheduledFor: NOW, throughSeq: 1, offers: [] }, NOW)
  await supersedeBefore(store, '2026-03-09')
  await store.write((tx) => cancelHalfPlanned(tx, 'half planned', NOW))
  await store.write((tx) =>
    recordCancelled(tx, { editionId: '2026-03-16', at: NOW }, 'may have been mailed', NOW),
  )
}
