import type { App } from '../../app.ts'
import type { Exclusion } from '../../core/audience/exclusion.ts'
import type { Judge } from '../../core/audience/judge.ts'
import { digestComposer, type Email } from '../../core/mail/digest.ts'
import { letterheadOf, type Reader } from '../../core/mail/letterhead.ts'
import { linksOf } from '../../core/mail/links.ts'
import { type Offer, selectFor } from '../../core/sessions/offers.ts'
import { nextSlot, type Slot, slotAtOrBefore } from '../../core/time/calendar.ts'
import { candidatesAfter } from '../../db/ledger/candidates.ts'
import { allEditions, type Edition, findEdition } from '../../db/ledger/editions.ts'
import { PERSONAS, type Persona, personaIds, personaTraits } from '../../db/people/personas.ts'
import { findByEmailHash } from '../../db/people/subscribers.ts'
import { keyOf } from '../subscribers/consent.ts'
import { asIfPlanned, judgeEveryone, type PreviewedEdition } from './as-if-planned.ts'
import { dueSlot } from './sweep.ts'

export type Preview = {
  edition: { id: string; scheduledFor: string }
  /** This week's edition, if it is already in the ledger. Then the preview is of the next one. */
  already: { id: string; state: Edition['state'] } | null
  /** The coming weekly slot, if there has been no edition and none is due: slots before the first start never are. */
  firstDue: { id: string; scheduledFor: string } | null
  candidates: number
  recipients: number
  excluded: Partial<Record<Exclusion, number>>
  /** What can be booked, soonest first. */
  sessions: Offer[]
  /** What one reader would get, or why nothing. `not-found`: the given address is not on the list. */
  mail:
    | { kind: 'mail'; email: Email }
    | { kind: 'excluded'; reason: Exclusion }
    | { kind: 'nobody' }
    | { kind: 'not-found' }
  /** The emails of different kinds of readers, if asked for; empty if no one would get one. */
  readers: ReaderMail[]
}

/** The email of one kind of reader. `madeUp`: no one on the list is of that kind and would get an email. */
export type ReaderMail = { reader: 'typical' | Persona; madeUp: boolean; email: Email }

type Needs = Pick<App, 'store' | 'config' | 'hashKey' | 'now' | 'templates'>

/**
 * What an edition planned now would be: whom it would reach, what it would offer, and the email of one reader: the one with
 * the address `email`, or the most common kind. Uses the rules of planning, and writes nothing but seats
 * that are due. `readers` adds an email for
 * each kind of reader, without revealing who they are. All personal links are made for no one and do nothing.
 */
export async function previewEdition(
  app: Needs,
  { email, readers = false }: { email?: string | undefined; readers?: boolean } = {},
): Promise<Preview> {
  const { slot, already } = await slotToShow(app)
  const { edition, offers, at, judge } = await asIfPlanned(app, slot)
  const { commonest, ...counts } = await judgeEveryone(app, edition, judge)

  const compose = composerOf(app, offers, edition.id)
  const mailOf = async (): Promise<Preview['mail']> => {
    if (email !== undefined) return mailFor(app, edition, email, { judge, compose })
    if (commonest === null) return { kind: 'nobody' }
    return {
      kind: 'mail',
      email: compose({
        ...TYPICAL,
        timeZone: app.config.DIGEST_TIME_ZONE,
        locale: app.config.LOCALE,
        ...commonest,
      }),
    }
  }
  const mail = await mailOf()
  const personas = readers && email === undefined && mail.kind === 'mail'
  const typical =
    mail.kind === 'mail' ? [{ reader: 'typical' as const, madeUp: true, email: mail.email }] : []
  return {
    edition: { id: slot.editionId, scheduledFor: slot.at.toISOString() },
    already,
    firstDue: await firstDueOf(app),
    ...counts,
    sessions: offers,
    mail,
    readers: personas
      ? [...typical, ...(await personaMails(app, { edition, offers, at, judge, compose }))]
      : [],
  }
}

/** Whom this week's edition would reach if it were planned now; null if it exists. */
export async function audienceNow(
  app: Anyone,
): Promise<{ id: string; candidates: number; recipients: number } | null> {
  const { slot, already } = await slotToShow(app)
  if (already !== null) return null
  const { edition, judge } = await asIfPlanned(app, slot)
  const { candidates, recipients } = await judgeEveryone(app, edition, judge)
  return { id: slot.editionId, candidates, recipients }
}

const TYPICAL = {
  publicId: 'preview',
  email: 'reader@preview.invalid',
  name: null,
  locale: 'en',
  discreet: false,
}

type Anyone = Omit<Needs, 'templates'>

async function slotToShow(app: Anyone): Promise<{ slot: Slot; already: Preview['already'] }> {
  const slot = slotAtOrBefore(app.config.slotRule, app.now())
  const found = await findEdition(app.store, slot.editionId)
  if (found === null) return { slot, already: null }
  return { slot: nextSlot(app.config.slotRule, app.now()), already: { id: found.id, state: found.state } }
}

async function firstDueOf(app: Anyone): Promise<Preview['firstDue']> {
  if ((await allEditions(app.store)).length > 0 || (await dueSlot(app)) !== null) return null
  const { editionId, at } = nextSlot(app.config.slotRule, app.now())
  return { id: editionId, scheduledFor: at.toISOString() }
}

type Compose = (reader: Reader) => Email
type Shown = { edition: PreviewedEdition; offers: readonly Offer[]; at: Date; judge: Judge; compose: Compose }

async function personaMails(app: Needs, seen: Shown): Promise<ReaderMail[]> {
  const ids = await personaIds(app.store, { homeZone: app.config.DIGEST_TIME_ZONE, at: seen.at })
  const mails: ReaderMail[] = []
  for (const reader of PERSONAS) {
    const real = await realReader(app, ids[reader], seen)
    const made = real ?? madeUpReader(app, reader, seen)
    if (made) mails.push({ reader, madeUp: real === null, email: seen.compose(made) })
  }
  return mails
}

/** A subscriber as a reader without name and address; null if they would get no email. */
async function realReader(app: Needs, id: number | null, { edition, judge }: Shown): Promise<Reader | null> {
  if (id === null) return null
  const [candidate] = await candidatesAfter(app.store, edition, id - 1, 1)
  const traits = await personaTraits(app.store, id)
  if (candidate?.id !== id || traits === null) return null
  const judgment = judge.select(candidate, id)
  return judgment.exclusion === null
    ? { ...TYPICAL, ...traits, ...judgment.selection, covered: judgment.topics && [...judgment.topics] }
    : null
}

/** Someone of that kind to whom everything is new. */
export function madeUpReader(
  { config }: Pick<Needs, 'config'>,
  kind: 'typical' | Persona,
  { edition, offers }: Pick<Shown, 'edition' | 'offers'>,
): Reader | null {
  const all = { topics: null, seen: { general: 0, byTopic: new Map() } }
  const { throughSeq } = edition
  const selection = selectFor(all, offers, { throughSeq, max: config.DIGEST_MAX_SESSIONS })
  const elsewhere =
    config.DIGEST_TIME_ZONE === 'America/Los_Angeles' ? 'Europe/London' : 'America/Los_Angeles'
  return (
    selection && {
      ...TYPICAL,
      timeZone: kind === 'other-zone' ? elsewhere : config.DIGEST_TIME_ZONE,
      locale: kind === 'spanish' ? 'es' : config.LOCALE,
      discreet: kind === 'discreet',
      ...selection,
    }
  )
}

/** The email of the subscriber with this address, or why they would get none. */
export async function mailFor(
  app: Needs,
  edition: PreviewedEdition,
  email: string,
  { judge, compose }: { judge: Judge; compose: Compose },
): Promise<Preview['mail']> {
  const subscriber = await findByEmailHash(app.store, keyOf(app.hashKey, email))
  if (subscriber === null) return { kind: 'not-found' }
  const [candidate] = await candidatesAfter(app.store, edition, subscriber.id - 1, 1)
  if (candidate?.id !== subscriber.id) return { kind: 'not-found' }
  const judgment = judge.select(candidate, candidate.id)
  if (judgment.exclusion !== null) return { kind: 'excluded', reason: judgment.exclusion }
  const { name, timeZone, locale, discreet } = subscriber
  return {
    kind: 'mail',
    email: compose({
      publicId: TYPICAL.publicId,
      email: subscriber.email,
      name,
      timeZone,
      locale,
      discreet,
      ...judgment.selection,
      covered: judgment.topics && [...judgment.topics],
    }),
  }
}

/** Writes the emails of a preview: its personal links are made for no one. */
export function composerOf(app: Needs, offers: readonly Offer[], editionId: string): Compose {
  const letterhead = letterheadOf(app.config)
  const template = { ...app.templates.digest, letterhead }
  const links = linksOf(app.config.LINK_SECRET, letterhead)
  const composer = digestComposer(template, offers, { id: editionId, unsent: true }, links)
  return (reader) => composer(reader, 'preview')
}
