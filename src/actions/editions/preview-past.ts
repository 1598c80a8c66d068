import type { App } from '../../app.ts'
import { seenBy } from '../../core/audience/seen.ts'
import { type DigestTemplate, digestComposer, type Email } from '../../core/mail/digest.ts'
import { letterheadOf, type Reader } from '../../core/mail/letterhead.ts'
import { linksOf } from '../../core/mail/links.ts'
import { type Offer, rotationCount, selectFor } from '../../core/sessions/offers.ts'
import { deliveriesTo, type PastDelivery } from '../../db/ledger/deliveries.ts'
import { allEditions, type Edition, findEdition, offersOfEdition } from '../../db/ledger/editions.ts'
import { frozenTemplateOf } from '../../db/ledger/frozen-contents.ts'
import { findByEmailHash, type Subscriber } from '../../db/people/subscribers.ts'
import { topicRowsOf } from '../../db/people/topic-rows.ts'
import { keyOf } from '../subscribers/consent.ts'

/** An edition of the ledger, as it was. Instants are ISO, UTC. */
export type PastPreview = {
  edition: { id: string; scheduledFor: string; state: Edition['state'] }
  /** What it offered when it was planned, soonest first. */
  sessions: Offer[]
  /** `then`: the layout and words it was frozen with. `now`: today's, because it has none, or they were removed. */
  layout: 'then' | 'now'
  mail: PastMail
}

/**
 * The email of one reader, rebuilt. `excluded`: they got none, with the recorded reason. `no-record`: they were no candidate.
 * `removed`: who was emailed what was removed (RETENTION_DAYS). `lost`: nothing is new to them by their topics of today.
 */
export type PastMail =
  | { kind: 'mail'; email: Email }
  | { kind: 'excluded'; reason: string }
  | { kind: 'not-found' | 'no-record' | 'removed' | 'lost' | 'nobody' }

type Needs = Pick<App, 'store' | 'config' | 'hashKey' | 'templates'>
type Chosen = { reader: Reader } | Exclude<PastMail, { kind: 'mail' }>

/**
 * The edition as it was: with the sessions it was planned with, and the layout and words of that time as long as they are kept.
 * The email is that of the reader with the address `email`, or of someone who follows every topic and got the edition before.
 * What a reader's own email was frozen with is deleted once it is submitted, so their topics, zone, and language are today's.
 * Personal links do nothing. Null: there is no such edition. Writes nothing.
 */
export async function previewPastEdition(
  app: Needs,
  id: string,
  email: string | undefined,
): Promise<PastPreview | null> {
  const edition = await findEdition(app.store, id)
  if (edition === null) return null
  const sessions = (await offersOfEdition(app.store, id)).sort((a, b) => startOf(a) - startOf(b))
  const chosen = await (email === undefined
    ? someoneTypical(app, edition, sessions)
    : oneReader(app, edition, sessions, email))
  const { layout, mail } = await composed(app, edition.id, sessions, chosen)
  const { scheduledFor, state } = edition
  return {
    edition: { id, scheduledFor: new Date(scheduledFor).toISOString(), state },
    sessions,
    layout,
    mail,
  }
}

const startOf = ({ startsAt }: Offer): number => Date.parse(startsAt)

const SOMEONE = { publicId: 'preview', email: 'reader@preview.invalid', name: null, discreet: false }

async function someoneTypical(app: Needs, edition: Edition, offers: readonly Offer[]): Promise<Chosen> {
  const { DIGEST_TIME_ZONE: timeZone, LOCALE: locale, DIGEST_MAX_SESSIONS: max } = app.config
  const earlier = (await allEditions(app.store)).find(
    ({ id, state }) => id < edition.id && state === 'submitted',
  )
  // If nothing was new since then, someone to whom all of it was.
  for (const general of [earlier?.throughSeq ?? 0, 0]) {
    const someone = { topics: null, seen: { general, byTopic: new Map() } }
    const selection = selectFor(someone, offers, { throughSeq: edition.throughSeq, max })
    if (selection !== null) return { reader: { ...SOMEONE, timeZone, locale, ...selection, covered: null } }
  }
  return { kind: 'nobody' }
}

async function oneReader(
  app: Needs,
  edition: Edition,
  offers: readonly Offer[],
  email: string,
): Promise<Chosen> {
  const subscriber = await findByEmailHash(app.store, keyOf(app.hashKey, email))
  if (subscriber === null) return { kind: 'not-found' }
  const [delivery] = await deliveriesTo(app.store, subscriber.id, edition.id)
  if (!delivery) return { kind: edition.prunedAt === null ? 'no-record' : 'removed' }
  if (delivery.state === 'excluded') return { kind: 'excluded', reason: delivery.reason ?? '' }
  return readerOf(app, subscriber, delivery, { edition, offers })
}

async function readerOf(
  app: Needs,
  { id, email, name, timeZone, locale, discreet }: Subscriber,
  delivery: PastDelivery,
  { edition, offers }: { edition: Edition; offers: readonly Offer[] },
): Promise<Chosen> {
  const rows = (await topicRowsOf(app.store.read, [id])).get(id) ?? []
  const { topics } = seenBy(delivery.seenThrough, rows)
  const seen = { general: delivery.seenThrough, byTopic: new Map<number, number>() }
  const selection = selectFor({ topics, seen }, offers, {
    throughSeq: edition.throughSeq,
    max: app.config.DIGEST_MAX_SESSIONS,
    rotation: delivery.id % rotationCount(offers),
  })
  if (selection === null) return { kind: 'lost' }
  const personal = { publicId: SOMEONE.publicId, email, name, timeZone, locale, discreet }
  return { reader: { ...personal, ...selection, covered: topics && [...topics] } }
}

async function composed(
  app: Needs,
  editionId: string,
  offers: readonly Offer[],
  chosen: Chosen,
): Promise<Pick<PastPreview, 'layout' | 'mail'>> {
  const frozen = await frozenTemplateOf(app.store, editionId)
  if ('kind' in chosen) return { layout: frozen === null ? 'now' : 'then', mail: chosen }
  const compose = (template: DigestTemplate): PastMail => {
    const links = linksOf(app.config.LINK_SECRET, template.letterhead)
    const email = digestComposer(template, offers, { id: editionId }, links)(chosen.reader, 'preview')
    return { kind: 'mail', email }
  }
  if (frozen !== null) return { layout: 'then', mail: compose(JSON.parse(frozen) as DigestTemplate) }
  return { layout: 'now', mail: compose({ ...app.templates.digest, letterhead: letterheadOf(app.config) }) }
}
