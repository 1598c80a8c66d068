import type { Installation } from '../../app.ts'
import { type Hearers, hearersOf } from '../../core/audience/consequence.ts'
import type { FieldError } from '../../core/intake/fields.ts'
import { parseGroup, parseTopic } from '../../core/intake/group-form.ts'
import type { Given } from '../../core/intake/new-session.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import { isBookable } from '../../core/time/occurrences.ts'
import { readersAlike } from '../../db/people/alike.ts'
import { type GroupChange, rehearseGroup, writeGroup } from '../../db/sessions/edit-group.ts'
import { allTopics } from '../../db/sessions/sessions.ts'
import { insertTopic, renameTopic } from '../../db/sessions/topics.ts'
import { demand } from '../operators/acting.ts'
import { topicsOf } from './change.ts'

type Needs = Pick<Installation, 'actor' | 'store' | 'now'>

/** A group as someone looked at it, and what they write instead: `group` (its name), `topic`, `kind`, and its facts. */
export type GroupEdit = { id: number; version: number; given: Given }

/** Why nothing was written. `meanwhile`: someone else changed it since it was looked at. */
type Refused = { kind: 'invalid'; errors: FieldError[] } | { kind: 'meanwhile' } | { kind: 'gone' }

/** Saves what is written of a group, all of it or nothing. */
export async function changeGroup(
  app: Needs,
  edit: GroupEdit,
): Promise<{ kind: 'changed' | 'same' } | Refused> {
  demand(app, 'sessions.edit')
  const checked = await check(app, edit)
  if (!checked.ok) return { kind: 'invalid', errors: checked.errors }
  const written = await writeGroup(app.store, checked.change, app.now())
  return written === 'taken' ? TAKEN : { kind: written }
}

const TAKEN: Refused = {
  kind: 'invalid',
  errors: [{ field: 'group', message: 'is the name of another group of this topic and kind; write another' }],
}

/** Whom an edit of a group brings sessions that they were not shown: those who follow its new topic. */
export async function consequenceOfGroup(
  app: Needs,
  edit: GroupEdit,
): Promise<{ kind: 'consequence'; hearers: Hearers; isMore: boolean; matters: boolean } | Refused> {
  demand(app, 'sessions.edit')
  const checked = await check(app, edit)
  if (!checked.ok) return { kind: 'invalid', errors: checked.errors }
  const { before, after } = await rehearseGroup(app.store, checked.change)
  const { readers, more } = await readersAlike(app.store, topicsOf([...before, ...after]))
  const hearers = (sessions: readonly DatedSession[]) =>
    hearersOf(
      sessions.filter((session) => isBookable(session, app.now())),
      readers,
    )
  const [now, then] = [hearers(before), hearers(after)]
  const matters = then.again + then.fresh > now.again + now.fresh
  return { kind: 'consequence', hearers: then, isMore: more, matters }
}

async function check(
  app: Needs,
  { id, version, given }: GroupEdit,
): Promise<{ ok: true; change: GroupChange } | { ok: false; errors: FieldError[] }> {
  const topics = await allTopics(app.store)
  const parsed = parseGroup(given, new Set(topics.map(({ slug }) => slug)))
  return parsed.ok ? { ok: true, change: { id, version, text: parsed.row } } : parsed
}

/** Adds a topic that groups can be about, under the fields of `parseTopic`. */
export async function addTopic(
  app: Needs,
  given: Given,
): Promise<{ kind: 'added'; slug: string } | { kind: 'invalid'; errors: FieldError[] }> {
  demand(app, 'sessions.edit')
  const parsed = parseTopic(given)
  if (!parsed.ok) return { kind: 'invalid', errors: parsed.errors }
  const { slug } = parsed.row
  if (await insertTopic(app.store, parsed.row, app.now())) return { kind: 'added', slug }
  const message = `is ${slug} for another topic; change that one, or write a name for files that is free`
  return { kind: 'invalid', errors: [{ field: 'slug', message }] }
}

/** Changes what a topic is called, if it is still called as `was`. */
export async function changeTopic(
  app: Needs,
  given: Given & { slug: string },
  was: { name: string; names: string },
): Promise<{ kind: 'changed' } | { kind: 'meanwhile' } | { kind: 'invalid'; errors: FieldError[] }> {
  demand(app, 'sessions.edit')
  const parsed = parseTopic(given)
  if (!parsed.ok) return { kind: 'invalid', errors: parsed.errors }
  return { kind: (await renameTopic(app.store, parsed.row, was, app.now())) ? 'changed' : 'meanwhile' }
}
