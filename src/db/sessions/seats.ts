import type { Actor } from '../../core/operators/actor.ts'
import { audit } from '../audit.ts'
import { and, eq, gt, lte, sql } from '../drizzle.ts'
import { queriesFor } from '../queries.ts'
import { seatChanges, sessions } from '../schema/sessions.ts'
import { prepared, type Queries, type Store, type WriteOptions } from '../store.ts'

/** The most seats that are counted. */
const MOST = 10_000

/**
 * Seats added by hand: how many are left once `seats` count, and from when on (ms UTC). `limit`: there cannot be fewer or more.
 * `uncounted`: the booking system does not say how many there are, or the session is cancelled.
 */
export type Pressed =
  | { kind: 'pending'; seatsLeft: number; dueAt: number }
  | { kind: 'limit' | 'uncounted' | 'gone' }

/** Adds one seat or takes one (`step` 1 or -1), together with those that still wait; all of them count from `dueAt` on. */
export async function pressSeats(
  store: Store,
  { id, step, dueAt }: { id: number; step: number; dueAt: number },
): Promise<Pressed> {
  return store.write(async (tx): Promise<Pressed> => {
    const row = await tx.select().from(sessions).where(eq(sessions.id, id)).get()
    if (row === undefined) return { kind: 'gone' }
    if (row.seatsLeft === null || row.status === 'cancelled') return { kind: 'uncounted' }
    const waiting = await tx.select().from(seatChanges).where(eq(seatChanges.sessionId, id)).get()
    const seats = (waiting?.seats ?? 0) + step
    const seatsLeft = row.seatsLeft + seats
    if (seatsLeft < 0 || seatsLeft > (row.seatsTotal ?? MOST)) return { kind: 'limit' }
    const change = { seats, changedBy: JSON.stringify(tx.actor), dueAt }
    if (seats === 0) await tx.delete(seatChanges).where(eq(seatChanges.sessionId, id)).run()
    else
      await tx
        .insert(seatChanges)
        .values({ sessionId: id, ...change })
        .onConflictDoUpdate({ target: seatChanges.sessionId, set: change })
        .run()
    return { kind: 'pending', seatsLeft, dueAt }
  })
}

/** Forgets seats that do not count yet. False if there are none: then they count already. */
export async function undoSeats(store: Store, id: number, now: Date): Promise<boolean> {
  const waiting = and(eq(seatChanges.sessionId, id), gt(seatChanges.dueAt, now.getTime()))
  const undone = await store.write((tx) => tx.delete(seatChanges).where(waiting).run())
  return undone.changes === 1
}

/** Whether seats are due that do not count yet. */
export async function seatsAreDue({ read }: Store, now: Date): Promise<boolean> {
  return (await anyDue(read).get({ now: now.getTime() })) !== undefined
}

const anyDue = prepared((read) =>
  read
    .select({ id: seatChanges.sessionId })
    .from(seatChanges)
    .where(lte(seatChanges.dueAt, sql.placeholder('now')))
    .limit(1)
    .prepare(),
)

/**
 * Counts all seats that are due, each once however many processes do this at a time. A session that was full because none
 * were left opens with one. Returns how many sessions changed.
 */
export async function countSeats(store: Store, now: Date, options?: WriteOptions): Promise<number> {
  return store.write(async (tx) => {
    const due = await tx.delete(seatChanges).where(lte(seatChanges.dueAt, now.getTime())).returning().all()
    let changed = 0
    for (const change of due) changed += await countIn(tx, change, now)
    return changed
  }, options)
}

type Change = typeof seatChanges.$inferSelect

async function countIn(tx: Queries, { sessionId, seats, changedBy }: Change, now: Date): Promise<number> {
  for (;;) {
    const row = await tx.select().from(sessions).where(eq(sessions.id, sessionId)).get()
    if (row === undefined || row.seatsLeft === null) return 0
    // A file may have brought other numbers since: what was pressed is added to those, as far as it goes.
    const seatsLeft = Math.min(Math.max(row.seatsLeft + seats, 0), row.seatsTotal ?? MOST)
    if (seatsLeft === row.seatsLeft) return 0
    const opens = row.status === 'full' && row.seatsLeft === 0
    const values = { seatsLeft, ...(opens && { status: 'open' as const }) }
    const asRead = and(eq(sessions.id, sessionId), eq(sessions.version, row.version))
    const written = await tx.update(sessions).set(values).where(asRead).run()
    if (written.changes === 0) continue // a program that writes plain SQL was faster
    // On record under whoever pressed, and not under whoever happened to read next.
    const theirs = queriesFor(tx, JSON.parse(changedBy) as Actor)
    const detail = `${row.seatsLeft} to ${seatsLeft}`
    await audit(theirs, now, { action: 'session seats', subject: String(sessionId), detail })
    return 1
  }
}
