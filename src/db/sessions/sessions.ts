import type { NewsState } from '../../core/audience/news.ts'
import type { FieldError } from '../../core/intake/fields.ts'
import { plain } from '../../core/mail/digest-page.ts'
import { rowError, type WrittenSession } from '../../core/sessions/check-row.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import type { Session } from '../../core/sessions/offers.ts'
import type { TopicNames } from '../../core/sessions/topic.ts'
import { groupFacts, topicNamesIn } from '../../core/sessions/written-facts.ts'
import { and, type Column, eq, gt, sql } from '../drizzle.ts'
import { idsIn, isWhole, jsonRows } from '../fragments.ts'
import { editionSessions } from '../schema/ledger.ts'
import { counters, groups, sessions, topics } from '../schema/sessions.ts'
import { prepared, type Queries, type Store } from '../store.ts'

/** A subject that groups are about and readers choose by. */
export type Topic = { id: number; slug: string; name: string; names: TopicNames }

/** Sessions as they stand, with the highest `seq` given out and the `sessionsVersion` when they were read. */
export type Program = { throughSeq: number; version: number; sessions: Session[] }

/** A session that is left out everywhere, as it cannot be read. */
export type LeftOut = FieldError & { id: number; externalId: string }

/** All topics by name, which is safe to show: plain SQL can have put any character into it. */
export async function allTopics(store: Store): Promise<Topic[]> {
  const rows = await store.read.select().from(topics).orderBy(topics.name).all()
  return rows.map((topic) => ({
    ...topic,
    name: plain(String(topic.name)) || plain(String(topic.slug)),
    names: topicNamesIn(topic.names),
  }))
}

/** The sessions that may be bookable: open, with a seat, not long past. What is bookable at an instant is core's to say. */
export async function openSessions(store: Store, now: Date): Promise<Program> {
  return store.snapshot(async (tx) => ({
    throughSeq: await counterIn(tx, 'seq'),
    version: await sessionsVersionIn(tx),
    sessions: readable(await sessionRows(tx).where(mayBeBookable(now)).all()),
  }))
}

/** The same sessions with what a calendar or a feed must know of their changes, in order of id. */
export async function openDatedSessions(store: Store, now: Date): Promise<DatedSession[]> {
  return readable<DatedSession>(
    await datedRows(store.read).where(mayBeBookable(now)).orderBy(sessions.id).all(),
  )
}

/** The open sessions that became news after `seq`, whether they can be booked or not. */
export async function openSessionsSince({ read }: Store, seq: number): Promise<DatedSession[]> {
  const since = and(eq(sessions.status, 'open'), gt(sessions.seq, seq))
  return readable<DatedSession>(await datedRows(read).where(since).orderBy(sessions.id).all())
}

/** The session, whatever its status; null when there is none, or it cannot be read. */
export async function findDatedSession(store: Store, id: number): Promise<DatedSession | null> {
  return (await sessionsById(store.read, [id]))[0] ?? null
}

/** The session with this external id, whatever its status; null when there is none, or it cannot be read. */
export async function findSessionNamed(store: Store, externalId: string): Promise<Session | null> {
  return readable(await sessionRows(store.read).where(eq(sessions.externalId, externalId)).all())[0] ?? null
}

/** These sessions, whatever their status, in order of id; also inside a transaction. */
export async function sessionsById(queries: Queries, ids: readonly number[]): Promise<DatedSession[]> {
  const rows = datedRows(queries).where(sql`${sessions.id} in ${idsIn(queries, ids)}`)
  return readable<DatedSession>(await rows.orderBy(sessions.id).all())
}

/** The sessions an edition was planned with, as they stand now. */
export async function sessionsOfEdition(store: Store, editionId: string): Promise<Session[]> {
  const rows = sessionRows(store.read)
    .innerJoin(editionSessions, eq(editionSessions.sessionId, sessions.id))
    .where(eq(editionSessions.editionId, editionId))
  return readable(await rows.all())
}

/** Every session that can be read, soonest start first, for listing. */
export async function allSessions(store: Store): Promise<Session[]> {
  return readable(await sessionRows(store.read).orderBy(sessions.startsAtLocal, sessions.id).all())
}

/** The sessions that cannot be read, and why; in order of id. */
export async function leftOutSessions(store: Store): Promise<LeftOut[]> {
  const rows = await sessionRows(store.read).orderBy(sessions.id).all()
  return rows.flatMap((row) => {
    const error = rowError(row)
    return error === null ? [] : [{ ...error, id: row.id, externalId: String(row.externalId) }]
  })
}

/** Rises with every change to sessions, groups or topics: what was read at one version may be kept while it lasts. */
export async function sessionsVersion({ read }: Store): Promise<number> {
  return await sessionsVersionIn(read)
}

/** `sessionsVersion` inside a transaction. */
export async function sessionsVersionIn(queries: Queries): Promise<number> {
  return await counterIn(queries, 'sessions_version')
}

async function counterIn(queries: Queries, name: 'seq' | 'sessions_version'): Promise<number> {
  return (await counterNamed(queries).get({ name }))?.value ?? 0
}

const counterNamed = prepared((read) =>
  read
    .select({ value: counters.value })
    .from(counters)
    .where(eq(counters.name, sql.placeholder('name')))
    .prepare(),
)

function mayBeBookable(now: Date) {
  const twoDaysAgo = new Date(now.getTime() - 2 * 86_400_000).toISOString().slice(0, 10)
  return and(
    eq(sessions.status, 'open'),
    sql`${sessions.seatsLeft} is distinct from 0`,
    sql`(${sessions.repeats} = 'weekly' or ${sessions.startsAtLocal} > ${twoDaysAgo})`,
  )
}

type HistoryRow = [seq: number, topicId: number | null, times: string, reopened: number, quiet: number]

/**
 * The one place where rows become sessions: what another program wrote badly is left out alone, so that nothing behind this
 * meets it. `leftOutSessions` names it.
 */
function readable<Sound extends Session = Session>(rows: readonly WrittenSession[]): Sound[] {
  return rows
    .filter((row) => rowError(row) === null)
    .map(({ history, odd: _odd, ...session }) => {
      const safe = { ...groupFacts(session), topicNames: topicNamesIn(session.topicNames) }
      return { ...session, ...safe, ...historyOf(history) } as unknown as Sound
    })
}

function historyOf(json: unknown): { history?: NewsState[] } {
  if (typeof json !== 'string') return {}
  const rows = JSON.parse(json) as HistoryRow[]
  return {
    history: rows.map(([seq, topicId, times, reopened, quiet]) => ({
      ...{ seq, topicId, times, reopened },
      ...(quiet === 1 && { quiet: true }),
    })),
  }
}

function sessionRows(read: Queries) {
  return read
    .select({ ...SESSION, ...changesOf(read) })
    .from(sessions)
    .leftJoin(groups, eq(groups.id, sessions.groupId))
    .leftJoin(topics, eq(topics.id, groups.topicId))
    .$dynamic()
}

function datedRows(read: Queries) {
  return read
    .select({
      ...SESSION,
      ...changesOf(read),
      revision: sessions.revision,
      revisedAt: sessions.revisedAt,
      newsAt: sessions.newsAt,
    })
    .from(sessions)
    .leftJoin(groups, eq(groups.id, sessions.groupId))
    .leftJoin(topics, eq(topics.id, groups.topicId))
    .$dynamic()
}

const SESSION = {
  id: sessions.id,
  externalId: sessions.externalId,
  topicId: topics.id,
  topicSlug: topics.slug,
  topicName: topics.name,
  topicNames: topics.names,
  groupId: sessions.groupId,
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
  summary: groups.summary,
  groupUrl: groups.url,
  language: groups.language,
  place: groups.place,
  price: groups.price,
  seq: sessions.seq,
  addedSeq: sessions.addedSeq,
  news: sessions.news,
}

function changesOf(read: Queries) {
  const { seq, addedSeq, news, newsAt, revision, revisedAt } = sessions
  const odd = (column: Column, most: number) =>
    sql`not ${isWhole(read, column)} or ${column} not between 0 and ${sql.raw(String(most))}`
  return {
    /** The first of the columns that triggers keep which holds what cannot be read; null = none. */
    odd: sql<string | null>`case
      when ${odd(seq, 1e15)} then 'seq' when ${odd(addedSeq, 1e15)} then 'added_seq'
      when ${news} not in ('new', 'reopened', 'moved') then 'news' when ${odd(newsAt, LATEST)} then 'news_at'
      when ${odd(revision, 2_147_483_647)} then 'revision' when ${odd(revisedAt, LATEST)} then 'revised_at'
    end`,
    // Only of a session that changed: most have no more to say than `seq`.
    history: sql<string | null>`(select case when count(*) > 1 then ${jsonRows(
      read,
      sql`seq, topic_id, times, reopened, quiet`,
      sql`seq`,
    )} end from session_history where session_id = ${sessions.id})`,
  }
}

/** The end of the year 9999, ms UTC. */
const LATEST = 253_402_300_799_000
