import type { Installation } from '../../app.ts'
import { type AgendaFilter, agendaOf } from '../../core/sessions/agenda.ts'
import { nextOccurrence, type Occurrence } from '../../core/time/occurrences.ts'
import { type ListedSession, listedSessions, shownIn } from '../../db/sessions/listing.ts'
import type { LeftOut } from '../../db/sessions/sessions.ts'
import { demand } from '../operators/acting.ts'
import { settleSeats } from './seats.ts'

/** A session with its next date, null when it is over, and the newest edition that showed it. */
export type AgendaRow = { session: ListedSession; next: Occurrence | null; shownIn: string | null }

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

/** The sessions that operators see: one query for all of them, and one for what is special to the page. */
export async function agenda(
  app: Pick<Installation, 'actor' | 'store' | 'config' | 'now'>,
  filter: AgendaFilter,
  page: number,
): Promise<Agenda> {
  demand(app, 'sessions.see')
  await settleSeats(app)
  const { sessions, leftOut } = await listedSessions(app.store)
  const nexts = nextDates(app.config, sessions, app.now())
  const dated = sessions.map((session) => ({ session, next: nexts.get(session.id)?.next ?? null }))
  const found = agendaOf(dated, filter)
  const pages = Math.max(1, Math.ceil(found.length / PER_PAGE))
  const shown = Math.min(Math.max(page, 1), pages)
  const rows = found.slice((shown - 1) * PER_PAGE, shown * PER_PAGE)
  const editions = await shownIn(
    app.store,
    rows.map(({ session }) => session.id),
  )
  return {
    rows: rows.map((row) => ({ ...row, shownIn: editions.get(row.session.id) ?? null })),
    ...{ page: shown, pages, found: found.length, all: sessions.length, leftOut },
    languages: [...new Set(sessions.flatMap(({ language }) => language ?? []))],
  }
}

type Next = { version: number; next: Occurrence | null }

/** By the settings of an installation: a store acts for one person. */
const known = new WeakMap<Installation['config'], Map<number, Next>>()

/** A next date stays until it comes or the session changes; to find those of thousands takes longer than to read them. */
function nextDates(
  installation: Installation['config'],
  sessions: readonly ListedSession[],
  now: Date,
): Map<number, Next> {
  const before = known.get(installation)
  const dates = new Map(
    sessions.map((session) => {
      const kept = before?.get(session.id)
      const isSame = kept?.version === session.version && (kept.next === null || kept.next.at > now)
      return [
        session.id,
        isSame && kept ? kept : { version: session.version, next: nextOccurrence(session, now) },
      ]
    }),
  )
  known.set(installation, dates)
  return dates
}
