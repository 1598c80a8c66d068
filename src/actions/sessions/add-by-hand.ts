import type { Installation } from '../../app.ts'
import { type Hearers, hearersOf } from '../../core/audience/consequence.ts'
import type { FieldError } from '../../core/intake/fields.ts'
import {
  checkNew,
  completed,
  type Given,
  newExternalId,
  type Practice,
  startIsPast,
} from '../../core/intake/new-session.ts'
import type { SessionRow } from '../../core/intake/records.ts'
import { readersAlike } from '../../db/people/alike.ts'
import { allTopics } from '../../db/sessions/sessions.ts'
import { demand } from '../operators/acting.ts'
import { addSession } from './add.ts'
import { practiceOf } from './practice.ts'

type Needs = Pick<Installation, 'actor' | 'store' | 'config' | 'now'>

type Invalid = { kind: 'invalid'; errors: FieldError[] }

/** What a session would be, and to how many people it would be new. `isMore`: there are more than were counted. */
export type Looked = { kind: 'looked'; row: SessionRow; hearers: Hearers; isMore: boolean }

/** Checks a session that someone wants to add, and adds nothing. */
export async function lookAtNew(app: Needs, given: Given, farAhead = false): Promise<Looked | Invalid> {
  demand(app, 'sessions.edit')
  const checked = check(given, await practiceOf(app, farAhead), app.now())
  if ('errors' in checked) return checked
  const topic = (await allTopics(app.store)).find(({ slug }) => slug === checked.topic)
  const topicId = topic?.id ?? 0
  const { readers, more } = await readersAlike(app.store, [topicId])
  const unseen = { topicId, seq: Number.MAX_SAFE_INTEGER }
  return { kind: 'looked', row: checked, hearers: hearersOf([unseen], readers), isMore: more }
}

/** Adds a session from what someone typed. Its external id is made of group and time. */
export async function addByHand(
  app: Needs,
  given: Given,
  farAhead = false,
): Promise<{ kind: 'added'; id: number } | Invalid> {
  demand(app, 'sessions.edit')
  const practice = await practiceOf(app, farAhead)
  const row = check(given, practice, app.now())
  if ('errors' in row) return row
  const session = await addSession(app, { ...row, externalId: newExternalId(row, practice.sessions) })
  if (session !== null) return { kind: 'added', id: session.id }
  // Two people added the same at the same moment: the second one looks again.
  const message = 'was just added by someone else; look at the list, and add it again if there are to be two'
  return { kind: 'invalid', errors: [{ field: 'group', message }] }
}

function check(given: Given, practice: Practice, now: Date): SessionRow | Invalid {
  const limit = { ...practice.limit, how: 'tick the box' }
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value.trim() !== ''))
  const checked = checkNew(completed(written, practice), { ...practice, limit })
  if (!checked.ok) return { kind: 'invalid', errors: checked.errors }
  const past = startIsPast(checked.row, now)
  return past === null ? checked.row : { kind: 'invalid', errors: [past] }
}
