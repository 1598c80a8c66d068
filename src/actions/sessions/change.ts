import type { Installation } from '../../app.ts'
import { type Hearers, hearersOf } from '../../core/audience/consequence.ts'
import type { FieldError } from '../../core/intake/fields.ts'
import { checkNew, type Given, startIsPast } from '../../core/intake/new-session.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import type { News, Session } from '../../core/sessions/offers.ts'
import { isBookable } from '../../core/time/occurrences.ts'
import { readersAlike } from '../../db/people/alike.ts'
import { rehearseSession, type SessionText, writeSession } from '../../db/sessions/edit.ts'
import { allTopics, findDatedSession } from '../../db/sessions/sessions.ts'
import { demand } from '../operators/acting.ts'
import { limitAt } from './practice.ts'

type Needs = Pick<Installation, 'actor' | 'store' | 'now'>

/** A session as someone looked at it, and what they write instead, by the columns of a file. */
export type Edit = { id: number; version: number; given: Given; farAhead?: boolean }

/** Why nothing was written. `meanwhile`: someone else changed the session since it was looked at. */
export type Refused = { kind: 'invalid'; errors: FieldError[] } | { kind: 'meanwhile' } | { kind: 'gone' }

/** What an edit would come to. All numbers are people, each counted once; see `isMore`. */
export type Consequence = {
  kind: 'consequence'
  text: SessionText
  /** As what those who know it see it again; null = it is no news to them. */
  news: News | null
  loud: Hearers
  /** If it is saved as a quiet correction. */
  quiet: Hearers
  /** There are too many subscribers to look at all of them: there are more people than counted. */
  isMore: boolean
  /** Someone hears of it only because of this edit. */
  matters: boolean
}

/** Saves an edit of a session, all of it or nothing. `quiet`: those who were shown it do not hear of it, where that can be. */
export async function changeSession(
  app: Needs,
  edit: Edit,
  { quiet }: { quiet: boolean },
): Promise<{ kind: 'changed' | 'same' } | Refused> {
  demand(app, 'sessions.edit')
  const checked = await check(app, edit)
  if ('kind' in checked) return checked
  const { id, version } = edit
  const kind = await writeSession(app.store, { id, version, text: checked.text, quiet }, app.now())
  return { kind }
}

/** What an edit would come to, before it is saved. Takes the same time however many subscribers there are. */
export async function consequenceOf(app: Needs, edit: Edit): Promise<Consequence | Refused> {
  demand(app, 'sessions.edit')
  const checked = await check(app, edit)
  if ('kind' in checked) return checked
  const { text, before } = checked
  const { id, version } = edit
  const [loud, quiet] = [
    await rehearseSession(app.store, { id, version, text, quiet: false }),
    await rehearseSession(app.store, { id, version, text, quiet: true }),
  ]
  if (loud === null || quiet === null) return { kind: 'meanwhile' }
  const states = [before, loud, quiet].filter((state) => state !== null)
  const { readers, more } = await readersAlike(app.store, topicsOf(states))
  const hearers = (session: DatedSession | null) =>
    hearersOf(session !== null && isBookable(session, app.now()) ? [session] : [], readers)
  const [now, then, hushed] = [before, loud, quiet].map(hearers) as [Hearers, Hearers, Hearers]
  return {
    ...{ kind: 'consequence', text, loud: then, quiet: hushed, isMore: more },
    news: then.again > 0 ? loud.news : null,
    matters: then.again > now.again || then.fresh > now.fresh || then.again > hushed.again,
  }
}

/** The topics that sessions are in, or were in. */
export const topicsOf = (sessions: readonly Session[]): number[] => [
  ...new Set(
    sessions.flatMap(({ topicId, history = [] }) => [
      topicId,
      ...history.flatMap((state) => state.topicId ?? []),
    ]),
  ),
]

async function check(
  app: Needs,
  { id, given, farAhead = false }: Edit,
): Promise<{ text: SessionText; before: DatedSession | null } | Refused> {
  const before = await findDatedSession(app.store, id)
  const topics = new Set((await allTopics(app.store)).map(({ slug }) => slug))
  const checked = checkNew(given, { topics, limit: { ...limitAt(app.now(), farAhead), how: 'tick the box' } })
  if (!checked.ok) return { kind: 'invalid', errors: checked.errors }
  const { row } = checked
  // What is over may still be corrected, but not moved into the past.
  const isMoved = before?.startsAtLocal !== row.startsAtLocal || before.timeZone !== row.timeZone
  const past = isMoved ? startIsPast(row, app.now()) : null
  if (past !== null) return { kind: 'invalid', errors: [past] }
  return { text: textOf(row), before }
}

function textOf(row: SessionText): SessionText {
  const { group, topic, kind, therapist, startsAtLocal, timeZone, durationMinutes } = row
  const { repeats, occurrences, seatsTotal, seatsLeft, status, bookingUrl } = row
  return {
    ...{ group, topic, kind, therapist, startsAtLocal, timeZone, durationMinutes },
    ...{ repeats, occurrences, seatsTotal, seatsLeft, status, bookingUrl },
  }
}
