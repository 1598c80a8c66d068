import type { App } from '../../app.ts'
import type { Exclusion } from '../../core/audience/exclusion.ts'
import type { Email } from '../../core/mail/digest.ts'
import type { Persona } from '../../db/people/personas.ts'
import { findByPublicId } from '../../db/people/subscribers.ts'
import { demand } from '../operators/acting.ts'
import { asIfPlanned } from './as-if-planned.ts'
import { comingSlot } from './coming.ts'
import { composerOf, madeUpReader, mailFor } from './preview.ts'

type Needs = Pick<App, 'store' | 'config' | 'hashKey' | 'now' | 'templates' | 'actor'>

/** The email of one reader of the coming edition; or why they would get none. `nothing`: there is nothing to show anyone. */
export type PreviewedMail =
  | { kind: 'mail'; email: Email }
  | { kind: 'excluded'; reason: Exclusion }
  | { kind: 'nothing' | 'not-found' }

/** The email of an invented reader of this kind, to whom everything is new. Costs the same for a list of any size. */
export async function previewInvented(app: Needs, kind: 'typical' | Persona): Promise<PreviewedMail> {
  demand(app, 'editions.test')
  const { edition, offers } = await asIfPlanned(app, await comingSlot(app))
  const reader = madeUpReader(app, kind, { edition, offers })
  return reader ? { kind: 'mail', email: composerOf(app, offers, edition.id)(reader) } : { kind: 'nothing' }
}

/** The email of one person, as they would get it. Their personal links do nothing in it. */
export async function previewNamed(app: Needs, publicId: string): Promise<PreviewedMail> {
  demand(app, 'readers.see')
  const subscriber = await findByPublicId(app.store, publicId)
  if (subscriber === null) return { kind: 'not-found' }
  const { edition, offers, judge } = await asIfPlanned(app, await comingSlot(app))
  const compose = composerOf(app, offers, edition.id)
  const mail = await mailFor(app, edition, subscriber.email, { judge, compose })
  return mail.kind === 'nobody' ? { kind: 'nothing' } : mail
}
