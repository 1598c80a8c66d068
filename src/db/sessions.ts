import type { Session } from '../core/content.ts'
import { plain } from '../core/digest-view.ts'
import type { DatedSession } from '../core/ics.ts'
import { and, eq, sql } from './drizzle.ts'
import type { Db } from './open.ts'
import { counters, editionSessions, groups, sessions, topics } from './schema.ts'

/** A subject that groups are about and readers choose by. */
export type Topic = { id: number; slug: string; name: string }

/** Sessions as they stand, with the highest `seq` given out when they were read. */
export type Program = { throughSeq: number; sessions: Session[] }

/** All topics by name, which is safe to show: plain SQL can have put any character into it. */
export async function allTopics(db: Db): Promise<Topic[]> {
  const rows = db.select().from(topics).orderBy(topics.name).all()
  return rows.map((topic) => ({ ...topic, name: plain(topic.name) }))
}

/** Adds a topic; false when the slug exists. */
export async function addTopic(db: Db, topic: { slug: string; name: string }): Promise<boolean> {
  return db.insert(topics).values(topic).onConflictDoNothing().run().changes === 1
}

/** The sessions that may be bookable: open, with a seat, not long past. What is bookable at an instant is core's to say. */
export async function openSessions(db: Db, now: Date): Promise<Program> {
  return db.transaction((tx) => ({
    throughSeq: counterIn(tx, 'seq'),
    sessions: sessionRows(tx).where(mayBeBookable(now)).all(),
  }))
}

/** The same sessions with what a calendar or a feed must know of their changes, in order of id. */
export async function openDatedSessions(db: Db, now: Date): Promise<DatedSession[]> {
  return datedRows(db).where(mayBeBookable(now)).orderBy(sessions.id).all()
}

/** The session, whatever its status, or null. */
export async function findDatedSession(db: Db, id: number): Promise<DatedSession | null> {
  return datedRows(db).where(eq(sessions.id, id)).get() ?? null
}

/** The sessions an edition was planned with, as they stand now. */
export async function sessionsOfEdition(db: Db, editionId: string): Promise<Session[]> {
  return sessionRows(db)
    .innerJoin(editionSessions, eq(editionSessions.sessionId, sessions.id))
    .where(eq(editionSessions.editionId, editionId))
    .all()
}

/** Every session, soonest start first, for listing. */
export async function allSessions(db: Db): Promise<Session[]> {
  return sessionRows(db).orderBy(sessions.startsAtLocal, sessions.id).all()
}

/** Rises with every change to sessions, groups or topics: what was read at one version may be kept while it lasts. */
export async function sessionsVersion(db: Db): Promise<number> {
  return counterIn(db, 'sessions_version')
}

type Reader = Pick<Db, 'select'>

function counterIn(db: Reader, name: 'seq' | 'sessions_version'): number {
  return db.select({ value: counters.value }).from(counters).where(eq(counters.name, name)).get()?.value ?? 0
}

function mayBeBookable(now: Date) {
  const twoDaysAgo = new Date(now.getTime() - 2 * 86_400_000).toISOString().slice(0, 10)
  return and(
    eq(sessions.status, 'open'),
    sql`${sessions.seatsLeft} is not 0`,
    sql`(${sessions.repeats} = 'weekly' or ${sessions.startsAtLocal} > ${twoDaysAgo})`,
  )
}

function sessionRows(db: Reader) {
  return db
    .select(SESSION)
    .from(sessions)
    .innerJoin(groups, eq(groups.id, sessions.groupId))
    .innerJoin(topics, eq(topics.id, groups.topicId))
    .$dynamic()
}

function datedRows(db: Reader) {
  return db
    .select({ ...SESSION, revision: sessions.revision, newsAt: sessions.newsAt })
    .from(sessions)
    .innerJoin(groups, eq(groups.id, sessions.groupId))
    .innerJoin(topics, eq(topics.id, groups.topicId))
    .$dynamic()
}

const SESSION = {
  id: sessions.id,
  externalId: sessions.externalId,
  topicId: topics.id,
  topicSlug: topics.slug,
  topicName: topics.name,
  kind: groups.kind,
  group: groups.title,
  therapist: sessions.therapist,
  startsAtLocal: sessions.startsAtLocal,
  timeZone: sessions.timeZone,
  durationMinutes: sessions.durationMinutes,
  repeats: sessions.repeats,
  occurrences: sessions.occurrences,
  seatsTotal: sessions.seatsTotal,
  seatsLeft: sessions.seatsLeft,
  status: sessions.status,
  bookingUrl: sessions.bookingUrl,
  seq: sessions.seq,
  addedSeq: sessions.addedSeq,
  news: sessions.news,
}
