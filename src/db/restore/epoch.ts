import type { Hold, HoldReason } from '../../core/hold.ts'
import { guardOn } from '../../failpoint.ts'
import type { Db } from '../open.ts'
import { briefly } from '../patience.ts'
import { dropFact, type Fact, factIn, putFact } from './facts.ts'
import { readWitness, writeWitness } from './witness.ts'

/** How far this database has come: a number that rises, and when it last rose, ms UTC. See docs/decisions/0011. */
export type Epoch = { number: number; at: number }

/** By how much a release leads: of two copies that both run on, the one that was not released falls behind and is held. */
export const RELEASE_GAP = 1_000_000

/** Why nothing may go out of this database, or null. Only reads what was noticed before. */
export async function currentHold(db: Db): Promise<Hold | null> {
  return holdIn(db)
}

/** `currentHold` for the files of `db/`, inside a transaction too. */
export const holdIn = (db: Db): Hold | null => readFact<Hold>(db, 'held')

/**
 * Looks whether this database is a copy or an older state of itself, and if so marks it held. `published`: the epoch in
 * Redis, null when it does not know. Makes the epoch of an installation that has none. A database in memory is
 * never held.
 */
export async function lookForCopy(db: Db, now: Date, published: number | null = null): Promise<Hold | null> {
  if (db.$client.memory) return currentHold(db)
  if (!guardOn('hold') || suspicion(db, published) === null) return currentHold(db)
  // Under the write lock nobody steps on meanwhile, so what is read here fits together.
  return db.$client
    .transaction((): Hold | null => {
      const held = holdIn(db)
      const reason = suspicion(db, published)
      if (held !== null || reason === null) return held
      if (reason === 'begin') return begin(db, now)
      const hold = { reason, since: now.getTime(), knownThrough: knownThrough(db) }
      writeFact(db, 'held', hold)
      return hold
    })
    .immediate()
}

/**
 * Moves the epoch on by one, in the database first and then beside it, so that the file beside it is never ahead of it.
 * Returns the number; null when the installation is held. Throws when either cannot be written.
 */
export async function advanceEpoch(db: Db, now: Date): Promise<number | null> {
  return briefly(db, () => step(db, now))
}

function step(db: Db, now: Date): number | null {
  const stepped = db.$client
    .transaction(() => {
      if (holdIn(db) !== null) return null
      const number = (readFact<Epoch>(db, 'epoch')?.number ?? 0) + 1
      writeFact(db, 'epoch', { number, at: now.getTime() })
      return number
    })
    .immediate()
  if (stepped === null || db.$client.memory) return stepped
  return db.$client
    .transaction(() => {
      const { number } = readFact<Epoch>(db, 'epoch') ?? { number: stepped }
      writeWitness(db.$client.name, number)
      return number
    })
    .immediate()
}

/** Inside a transaction: lets it go on from here, ahead of every state that anything has seen. Returns the new epoch. */
export function skipEpochAhead(db: Db, now: Date, published: number | null): number {
  const beside = db.$client.memory ? null : readWitness(db.$client.name)
  const number =
    Math.max(readFact<Epoch>(db, 'epoch')?.number ?? 0, beside?.wrote.epoch ?? 0, published ?? 0) +
    RELEASE_GAP
  writeFact(db, 'epoch', { number, at: now.getTime() })
  dropFact(db.$client, 'held')
  dropFact(db.$client, 'copied')
  // Killed before the commit it is still held, as the fact says; never is it released without a witness.
  if (!db.$client.memory) writeWitness(db.$client.name, number)
  return number
}

/** `begin`: there is no epoch yet, neither here nor beside it. Null: nothing is amiss. */
function suspicion(db: Db, published: number | null): HoldReason | 'begin' | null {
  // Beside it first: it only ever follows the database, so a step in between cannot make it look ahead.
  const beside = readWitness(db.$client.name)
  const epoch = readFact<Epoch>(db, 'epoch')
  if (readFact<number>(db, 'copied') !== null) return 'backup'
  if (epoch === null) return beside === null || beside.wrote.epoch === 0 || isNew(db) ? 'begin' : 'older'
  if (beside === null) return 'unwitnessed'
  if (Math.max(beside.wrote.epoch, published ?? 0) > epoch.number) return 'older'
  const { wrote, now } = beside
  if (wrote.database !== now.database || wrote.self !== now.self) return 'moved'
  if (wrote.machine !== null && now.machine !== null && wrote.machine !== now.machine) return 'machine'
  return null
}

/**
 * The file beside it first, at 0: killed in between, the next start finds no epoch and a witness of nothing. Where that
 * file cannot be written there is no epoch yet, and nothing to hold.
 */
function begin(db: Db, now: Date): null {
  const before = readWitness(db.$client.name)?.wrote.epoch ?? 0
  try {
    writeWitness(db.$client.name, 0)
  } catch {
    return null
  }
  writeFact(db, 'epoch', { number: before + 1, at: now.getTime() })
  return null
}

// The key is made at the first start of an installation: a database without it is no copy of anything.
const isNew = (db: Db): boolean => factIn(db.$client, 'hash_key') === null

function knownThrough(db: Db): number | null {
  return readFact<number>(db, 'copied') ?? readFact<Epoch>(db, 'epoch')?.at ?? null
}

function readFact<Value>(db: Db, name: Fact): Value | null {
  const text = factIn(db.$client, name)
  return text === null ? null : (JSON.parse(text) as Value)
}

const writeFact = (db: Db, name: Fact, value: Epoch | Hold): void =>
  putFact(db.$client, name, JSON.stringify(value))
