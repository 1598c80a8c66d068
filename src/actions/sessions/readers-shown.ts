import type { Installation } from '../../app.ts'
import { shownTo } from '../../core/audience/consequence.ts'
import { readersAlike } from '../../db/people/alike.ts'
import { findDatedSession } from '../../db/sessions/sessions.ts'
import { demand } from '../operators/acting.ts'
import { topicsOf } from './change.ts'

/** How many active readers were shown a session, as far as their marks say. `isMore`: not all of them were counted. */
export async function readersShown(
  app: Pick<Installation, 'actor' | 'store' | 'now'>,
  id: number,
): Promise<{ readers: number; isMore: boolean }> {
  demand(app, 'sessions.see')
  const session = await findDatedSession(app.store, id)
  if (session === null) return { readers: 0, isMore: false }
  const { readers, more } = await readersAlike(app.store, topicsOf([session]))
  return { readers: shownTo(session, readers), isMore: more }
}
