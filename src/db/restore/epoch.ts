import type { Hold, HoldReason } from '../../core/hold.ts'
import { guardOn } from '../../failpoint.ts'
import { signIns } from '../schema/operators.ts'
import type { Queries, Store } from '../store.ts'
import { dropFact, type Fact, factIn, putFact } from './facts.ts'
import { type Witness, witnessOf } from './witness.ts'

/** How far this database has come: a number that rises, and when it last rose, ms UTC. See docs/decisions/0011. */
export type Epoch = { number: number; at: number }

/** By how much a release leads: of two copies that both run on, the one that was not released falls behind and is held. */
export const RELEASE_GAP = 1_000_000

/** Why nothing may go out of this database, or null. Only reads what was noticed before. */
export async function currentHold(store: Store): Promise<Hold | null> {
  return holdIn(store.read)
}

/** `currentHold` for the files of `db/`, inside a transaction too. */
export const holdIn = (queries: Queries): Promise<Hold | null> => readFact<Hold>(queries, 'held')

/**
 * Looks whether this database is a copy or an older state of itself, and if so marks it held. `published`: the epoch in
 * Redis, null when it does not know. Makes the epoch of an installation that has none. A database in memory is
 * never held.
 */
export async function lookForCopy(
  store: Store,
  now: Date,
  published: number | null = null,
): Promise<Hold | null> {
  const witness = witnessOf(store)
  if (witness === null || !guardOn('hold')) return currentHold(store)
  if ((await suspicion(store.read, witness, published)) === null) return currentHold(store)
  // No other process can advance the epoch while this one has the write lock, so what is read here fits together.
  return store.write(async (tx) => {
    const held = await holdIn(tx)
    const reason = await suspicion(tx, witness, published)
    if (held !== null || reason === null) return held
    if (reason === 'begin') return begin(tx, witness, now)
    const hold = { reason, since: now.getTime(), knownThrough: await knownThrough(tx) }
    await writeFact(tx, 'held', hold)
    await tx.delete(signIns).run() // those of the copy's past, whose cookies others may still have
    return hold
  })
}

/**
 * Moves the epoch on by one, in the database first and then beside it, so that the file beside it is never ahead of it.
 * Returns the number; null when the installation is held. Throws when either cannot be written.
 */
export async function advanceEpoch(store: Store, now: Date): Promise<number | null> {
  const stepped = await store.write(
    async (tx) => {
      if ((await holdIn(tx)) !== null) return null
      const number = ((await readFact<Epoch>(tx, 'epoch'))?.number ?? 0) + 1
      await writeFact(tx, 'epoch', { number, at: now.getTime() })
      return number
    },
    { brief: true },
  )
  const witness = witnessOf(store)
  if (stepped === null || witness === null) return stepped
  return store.write(
    async (tx) => {
      const { number } = (await readFact<Epoch>(tx, 'epoch')) ?? { number: stepped }
      await witness.write(tx, number)
      return number
    },
    { brief: true },
  )
}

/** Inside a transaction: ends the hold, with an epoch ahead of every one that was seen anywhere. Returns the new epoch. */
export async function skipEpochAhead(
  tx: Queries,
  witness: Witness | null,
  now: Date,
  published: number | null,
): Promise<number> {
  const beside = await witness?.read(tx)
  const epoch = await readFact<Epoch>(tx, 'epoch')
  const number = Math.max(epoch?.number ?? 0, beside?.epoch ?? 0, published ?? 0) + RELEASE_GAP
  await writeFact(tx, 'epoch', { number, at: now.getTime() })
  await dropFact(tx, 'held')
  await dropFact(tx, 'copied')
  // Killed before the commit it is still held, as the fact says; never is it released without a witness.
  await witness?.write(tx, number)
  return number
}

/** `begin`: there is no epoch yet, neither here nor beside it. Null: nothing is amiss. */
async function suspicion(
  queries: Queries,
  witness: Witness,
  published: number | null,
): Promise<HoldReason | 'begin' | null> {
  // Beside it first: it only ever follows the database, so a step in between cannot make it look ahead.
  const beside = await witness.read(queries)
  const epoch = await readFact<Epoch>(queries, 'epoch')
  if ((await readFact<number>(queries, 'copied')) !== null) return 'backup'
  if (epoch === null) {
    const begins = beside === null || beside.epoch === 0 || (await isNew(queries))
    return begins ? 'begin' : 'older'
  }
  if (beside === null) return 'unwitnessed'
  if (Math.max(beside.epoch, published ?? 0) > epoch.number) return 'older'
  return beside.moved
}

/**
 * The file beside it first, at 0: killed in between, the next start finds no epoch and a witness of nothing. Where that
 * file cannot be written there is no epoch yet, and nothing to hold.
 */
async function begin(tx: Queries, witness: Witness, now: Date): Promise<null> {
  const before = (await witness.read(tx))?.epoch ?? 0
  try {
    await witness.write(tx, 0)
  } catch {
    return null
  }
  await writeFact(tx, 'epoch', { number: before + 1, at: now.getTime() })
  return null
}

// The key is made at the first start of an installation: a database without it is no copy of anything.
const isNew = async (queries: Queries): Promise<boolean> => (await factIn(queries, 'hash_key')) === null

async function knownThrough(queries: Queries): Promise<number | null> {
  return (await readFact<number>(queries, 'copied')) ?? (await readFact<Epoch>(queries, 'epoch'))?.at ?? null
}

async function readFact<Value>(queries: Queries, name: Fact): Promise<Value | null> {
  const text = await factIn(queries, name)
  return text === null ? null : (JSON.parse(text) as Value)
}

const writeFact = (tx: Queries, name: Fact, value: Epoch | Hold): Promise<void> =>
  putFact(tx, name, JSON.stringify(value))
