import type { Installation } from '../../app.ts'
import { type AgendaFilter, agendaOf } from '../../core/sessions/agenda.ts'
import { nextOccurrence, type Occurrence } from '../../core/time/occurrences.ts'
import {
  type ListedSession,
  listedSessions,
  shownIn,
  type WaitingSeats,
  waitingSeats,
} from '../../db/sessions/listing.ts'
import { type LeftOut, sessionsVersion } from '../../db/sessions/sessions.ts'
import { demand } from '../operators/acting.ts'
import { settleSeats } from './seats.ts'

/** A session with its next date, null when it is over; its seats that wait, and the newest edition that showed it. */
export type AgendaRow = {
  session: ListedSession
  next: Occurrence | null
  waiting: WaitingSeats | null
  shownIn: string | null
}

/** One page of what was asked for; `all` sessions there are at all, `found` of them are on one page or another. */
export type Agenda = {
  rows: AgendaRow[]
  page: number
  pages: number
  found: number
  all: number
  leftOut: LeftOut[]
  /** In which groups are held. */
  languages: string[]
}

const PER_PAGE = 25

/** The sessions that operators see. All are read once per change; what is special to a page is read for its few rows. */
export async function agenda(
  app: Pick<Installation, 'actor' | 'store' | 'config' | 'now'>,
  filter: AgendaFilter,
  page: number,
): Promise<Agenda> {
  demand(app, 'sessions.see')
  await settleSeats(app)
  const { sessions, leftOut, nexts } = await readOnce(app)
  const now = app.now()
  const dated = sessions.map((session) => ({ session, next: nextOf(nexts, session, now) }))
  const found = agendaOf(dated, filter)
  const pages = Math.max(1, Math.ceil(found.length / PER_PAGE))
  const shown = Math.min(Math.max(page, 1), pages)
  const rows = found.slice((shown - 1) * PER_PAGE, shown * PER_PAGE)
  const ids = rows.map(({ session }) => session.id)
  const [editions, waiting] = [await shownIn(app.store, ids), await waitingSeats(app.store, ids)]
  return {
    rows: rows.map(({ session, next }) => ({
      ...{ session, next },
      ...{ waiting: waiting.get(session.id) ?? null, shownIn: editions.get(session.id) ?? null },
    })),
    ...{ page: shown, pages, found: found.length, all: sessions.length, leftOut },
    languages: [...new Set(sessions.flatMap(({ language }) => language ?? []))],
  }
}

type Read = Awaited<ReturnType<typeof listedSessions>> & {
  version: number
  /** By session. A next date stays until it comes or the session changes, and takes longer to find than to read the row. */
  nexts: Map<number, { version: number; next: Occurrence | null }>
}

/** By the settings of an installation: a store acts for one person. */
const lastRead = new WeakMap<Installation['config'], Read>()

async function readOnce({ config, store }: Pick<Installation, 'config' | 'store'>): Promise<Read> {
  // Read before the data, so that a change in between is read again.
  const version = await sessionsVersion(store)
  const kept = lastRead.get(config)
  if (kept?.version === version) return kept
  const { sessions, leftOut } = await listedSessions(store)
  const ids = new Set(sessions.map(({ id }) => id))
  const nexts = new Map([...(kept?.nexts ?? [])].filter(([id]) => ids.has(id)))
  const read = { version, sessions, leftOut, nexts }
  lastRead.set(config, read)
  return read
}

function nextOf(nexts: Read['nexts'], session: ListedSession, now: Date): Occurrence | null {
  const { id, version } = session
  const kept = nexts.get(id)
  if (kept?.version === version && (kept.next === null || kept.next.at > now)) return kept.next
  const next = nextOccurrence(session, now)
  nexts.set(id, { version, next })
  return next
}
