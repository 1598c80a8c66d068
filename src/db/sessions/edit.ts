import type { DatedSession } from '../../core/sessions/ics.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { audit } from '../audit.ts'
import { and, eq } from '../drizzle.ts'
import { groups, quietChanges, seatChanges, sessions, topics } from '../schema/sessions.ts'
import type { Queries, Store } from '../store.ts'
import { rehearse } from './rehearse.ts'
import { sessionsById } from './sessions.ts'

/** What names a group; `topic` is a slug. */
type GroupName = { group: string; topic: string; kind: Session['kind'] }

/** All that people write of a session. Its group is made where there is none of this name. */
export type SessionText = GroupName &
  Pick<Session, 'therapist' | 'startsAtLocal' | 'timeZone' | 'durationMinutes' | 'repeats' | 'occurrences'> &
  Pick<Session, 'seatsTotal' | 'seatsLeft' | 'status' | 'bookingUrl'>

/** A change of the session that someone looked at in this `version`. `quiet`: nobody who was shown it hears of it. */
export type SessionChange = { id: number; version: number; text: SessionText; quiet: boolean }

/** `meanwhile`: it changed since that version, and nothing was written. `same`: it was so already. */
export type Written = 'changed' | 'same' | 'meanwhile' | 'gone'

/**
 * Writes a session wholly, or nothing of it, and records which columns changed. Seats that waited to be counted are forgotten
 * where it says another number. Triggers see whether it is news.
 */
export async function writeSession(store: Store, change: SessionChange, now: Date): Promise<Written> {
  const writing = store.write(async (tx) => {
    const before = await rowOf(tx, change.id)
    const written = await write(tx, change, before)
    if (written !== 'changed') return written
    const columns = changedColumns(before, await rowOf(tx, change.id))
    if (columns.includes('seats_left'))
      await tx.delete(seatChanges).where(eq(seatChanges.sessionId, change.id)).run()
    const detail = `${columns.join(', ')}${change.quiet ? ', quietly' : ''}`
    await audit(tx, now, { action: 'session changed', subject: String(change.id), detail })
    return written
  })
  return writing.catch((error: unknown) => {
    if (error instanceof Overtaken) return 'meanwhile' as const
    throw error
  })
}

/** The session as it would be after the change, judged by the triggers; null if it would not be written. */
export async function rehearseSession(store: Store, change: SessionChange): Promise<DatedSession | null> {
  return rehearse(store, async (tx) => {
    const written = await write(tx, change, await rowOf(tx, change.id))
    if (written !== 'changed' && written !== 'same') return null
    return (await sessionsById(tx, [change.id]))[0] ?? null
  })
}

type Row = typeof sessions.$inferSelect

async function rowOf(tx: Queries, id: number): Promise<Row | undefined> {
  return tx.select().from(sessions).where(eq(sessions.id, id)).get()
}

/** Another program wrote the row between our look and our update: what was made for it must go too. */
class Overtaken extends Error {
  override name = 'Overtaken'
}

async function write(tx: Queries, change: SessionChange, row: Row | undefined): Promise<Written> {
  const { id, version, quiet } = change
  if (row === undefined) return 'gone'
  if (row.version !== version) return 'meanwhile'
  const { group, topic, kind, ...fields } = change.text
  const values = { ...fields, groupId: await groupIn(tx, { group, topic, kind }) }
  if (changedColumns(row, { ...row, ...values }).length === 0) return 'same'
  if (quiet) await tx.insert(quietChanges).values({ sessionId: id }).run()
  const ours = and(eq(sessions.id, id), eq(sessions.version, version))
  const changed = await tx.update(sessions).set(values).where(ours).run()
  if (quiet) await tx.delete(quietChanges).where(eq(quietChanges.sessionId, id)).run()
  if (changed.changes !== 1) throw new Overtaken()
  return 'changed'
}

async function groupIn(tx: Queries, { group, topic, kind }: GroupName): Promise<number> {
  const ofTopic = await tx.select({ id: topics.id }).from(topics).where(eq(topics.slug, topic)).get()
  if (ofTopic === undefined) throw new Error('the topic of a session is gone')
  await tx.insert(groups).values({ topicId: ofTopic.id, kind, title: group }).onConflictDoNothing().run()
  const named = and(eq(groups.topicId, ofTopic.id), eq(groups.kind, kind), eq(groups.title, group))
  const found = await tx.select({ id: groups.id }).from(groups).where(named).get()
  if (found === undefined) throw new Error('the group of a session is gone')
  return found.id
}

/** The columns as a file has them. */
const COLUMNS = {
  groupId: 'group',
  therapist: 'therapist',
  startsAtLocal: 'starts_at',
  timeZone: 'time_zone',
  durationMinutes: 'duration_minutes',
  repeats: 'repeats',
  occurrences: 'occurrences',
  seatsTotal: 'seats_total',
  seatsLeft: 'seats_left',
  status: 'status',
  bookingUrl: 'booking_url',
} as const

function changedColumns(before: Row | undefined, after: Row | undefined): string[] {
  return Object.entries(COLUMNS).flatMap(([field, column]) => {
    const name = field as keyof typeof COLUMNS
    return before?.[name] === after?.[name] ? [] : [column]
  })
}
