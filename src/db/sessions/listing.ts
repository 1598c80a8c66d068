import { plain } from '../../core/mail/digest-page.ts'
import { rowError, type WrittenSession } from '../../core/sessions/check-row.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { type SQL, sql } from '../drizzle.ts'
import { idsIn } from '../fragments.ts'
import type { Store } from '../store.ts'
import type { LeftOut } from './sessions.ts'

/** A session as operators list it. `waiting`: seats that someone added and that do not count yet. */
export type ListedSession = Pick<
  Session,
  | 'id'
  | 'externalId'
  | 'groupId'
  | 'group'
  | 'kind'
  | 'language'
  | 'topicId'
  | 'topicSlug'
  | 'topicName'
  | 'therapist'
  | 'startsAtLocal'
  | 'timeZone'
  | 'durationMinutes'
  | 'repeats'
  | 'occurrences'
  | 'seatsTotal'
  | 'seatsLeft'
  | 'status'
  | 'bookingUrl'
> & { version: number; waiting: { seats: number; dueAt: number } | null }

/** A session whatever is written in it, and why it is left out everywhere; null = it is not. */
export type WrittenRow = WrittenSession & { id: number; version: number; problem: LeftOut | null }

type Row = WrittenSession & { id: number; version: number; seats: number | null; dueAt: number | null }

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

/** One session to be corrected, whatever is written in it; null when there is none. */
export async function writtenSession(
  store: Store,
  id: number,
): Promise<{ row: WrittenRow; listed: ListedSession | null } | null> {
  const [row] = await rowsWhere(store, sql`sessions.id = ${id}`)
  if (row === undefined) return null
  const problem = problemOf(row)
  return { row: { ...row, problem }, listed: problem === null ? listed(row) : null }
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
        groups.language, topics.id as "topicId", topics.slug as "topicSlug", topics.name as "topicName",
        seat_changes.seats, seat_changes.due_at as "dueAt"
      from sessions left join groups on groups.id = group_id left join topics on topics.id = topic_id
        left join seat_changes on session_id = sessions.id where ${condition}`,
  )
}

function problemOf(row: Row): LeftOut | null {
  const error = rowError(row)
  return error && { ...error, id: row.id, externalId: String(row.externalId) }
}

function listed({ seats, dueAt, ...row }: Row): ListedSession {
  const session = row as unknown as ListedSession
  const waiting = seats === null || dueAt === null ? null : { seats, dueAt }
  return { ...session, group: plain(session.group), therapist: plain(session.therapist), waiting }
}
