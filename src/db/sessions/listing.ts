import type { KnownSession } from '../../core/intake/new-session.ts'
import { plain } from '../../core/mail/digest-page.ts'
import { rowError, type WrittenSession } from '../../core/sessions/check-row.ts'
import type { GroupFacts } from '../../core/sessions/group.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { groupFacts } from '../../core/sessions/written-facts.ts'
import { type SQL, sql } from '../drizzle.ts'
import { idsIn } from '../fragments.ts'
import { seatChanges } from '../schema/sessions.ts'
import type { Store } from '../store.ts'
import type { LeftOut } from './sessions.ts'

/** A session as operators list it. */
export type ListedSession = Omit<
  Session,
  'topicNames' | 'seq' | 'addedSeq' | 'news' | 'history' | keyof GroupFacts
> &
  Pick<GroupFacts, 'language'> & { version: number }

/** Seats that someone added, and that do not count before `dueAt` (ms UTC). */
export type WaitingSeats = { seats: number; dueAt: number }

/** A session whatever is written in it, and why it is left out everywhere; null = it is not. */
export type WrittenRow = WrittenSession & { id: number; version: number; problem: LeftOut | null }

type Row = WrittenSession & { id: number; version: number }

/** All sessions in one query: those that can be read, and why the others cannot. */
export async function listedSessions(
  store: Store,
): Promise<{ sessions: ListedSession[]; leftOut: LeftOut[] }> {
  const rows = await rowsWhere(store, sql`true`)
  const problems = rows.map(problemOf)
  return {
    sessions: rows.filter((_, index) => problems[index] === null).map(listed),
    leftOut: problems.filter((problem) => problem !== null),
  }
}

/** What a session that is added may take from each that there is, by start. Of one that cannot be read only its id is known. */
export async function knownSessions(store: Store): Promise<KnownSession[]> {
  const rows = await store.read.all<KnownSession>(
    sql`select external_id as "externalId", title as "group", status, slug as "topicSlug", kind, therapist,
        time_zone as "timeZone", duration_minutes as "durationMinutes", booking_url as "bookingUrl"
      from sessions left join groups on groups.id = group_id left join topics on topics.id = topic_id
      order by starts_at_local, sessions.id`,
  )
  return rows.map((row) => (isSound(row) ? row : { ...UNKNOWN, externalId: String(row.externalId) }))
}

const isSound = ({ durationMinutes, ...texts }: KnownSession): boolean =>
  Number.isInteger(durationMinutes) && Object.values(texts).every((value) => typeof value === 'string')

const UNKNOWN: Omit<KnownSession, 'externalId'> = {
  ...{ group: '', topicSlug: '', therapist: '', timeZone: '', bookingUrl: '' },
  ...{ status: 'cancelled', kind: 'therapy', durationMinutes: 90 },
}

/** One session to be corrected, whatever is written in it; null when there is none. */
export async function writtenSession(
  store: Store,
  id: number,
): Promise<{ row: WrittenRow; listed: ListedSession | null; waiting: WaitingSeats | null } | null> {
  const [row] = await rowsWhere(store, sql`sessions.id = ${id}`)
  if (row === undefined) return null
  const problem = problemOf(row)
  const waiting = (await waitingSeats(store, [id])).get(id) ?? null
  return { row: { ...row, problem }, listed: problem === null ? listed(row) : null, waiting }
}

/** The seats that wait to be counted, by session; without those that have none. */
export async function waitingSeats(
  { read }: Store,
  ids: readonly number[],
): Promise<Map<number, WaitingSeats>> {
  const rows = await read
    .select()
    .from(seatChanges)
    .where(sql`${seatChanges.sessionId} in ${idsIn(read, ids)}`)
    .all()
  return new Map(rows.map(({ sessionId, seats, dueAt }) => [sessionId, { seats, dueAt }]))
}

/** The newest edition that showed each of these sessions, by session; without those that none showed. */
export async function shownIn({ read }: Store, ids: readonly number[]): Promise<Map<number, string>> {
  const rows = await read.all<{ id: number; edition: string }>(
    sql`select session_id as id, max(edition_id) as edition from edition_sessions
      join editions on editions.id = edition_id and editions.state in ('submitting', 'submitted')
      where session_id in ${idsIn(read, ids)} group by session_id`,
  )
  return new Map(rows.map(({ id, edition }) => [id, edition]))
}

function rowsWhere({ read }: Store, condition: SQL): Promise<Row[]> {
  return read.all<Row>(
    sql`select sessions.id, external_id as "externalId", group_id as "groupId", therapist, starts_at_local as "startsAtLocal",
        time_zone as "timeZone", duration_minutes as "durationMinutes", repeats, occurrences, seats_total as "seatsTotal",
        seats_left as "seatsLeft", status, booking_url as "bookingUrl", sessions.version, groups.title as "group", groups.kind,
        groups.language, topics.id as "topicId", topics.slug as "topicSlug", topics.name as "topicName"
      from sessions left join groups on groups.id = group_id left join topics on topics.id = topic_id where ${condition}`,
  )
}

function problemOf(row: Row): LeftOut | null {
  const error = rowError(row)
  return error && { ...error, id: row.id, externalId: String(row.externalId) }
}

function listed(row: Row): ListedSession {
  const session = row as unknown as ListedSession
  const { language } = groupFacts(row)
  return { ...session, language, group: plain(session.group), therapist: plain(session.therapist) }
}
