import { setImmediate } from 'node:timers/promises'
import type { App } from '../app.ts'
import { type Exclusion, exclusionOf, seenBy } from '../core/audience.ts'
import { nextSlot, type Slot, slotAtOrBefore } from '../core/calendar.ts'
import { type Offer, offersAt, type Selection, selectFor } from '../core/content.ts'
import { digestComposer, type Email, type Reader } from '../core/email.ts'
import { type Edition, findEdition } from '../db/editions.ts'
import { candidatesAfter, type KnownCandidate } from '../db/planning.ts'
import { openSessions } from '../db/sessions.ts'
import { findByEmailHash } from '../db/subscribers.ts'
import { keyOf } from './consent.ts'
import { linksFor, templateNow } from './freeze-batch.ts'

export type Preview = {
  edition: { id: string; scheduledFor: string }
  /** This week's edition when it is in the ledger already: then the preview is of the next one, as things stand now. */
  already: { id: string; state: Edition['state'] } | null
  candidates: number
  recipients: number
  excluded: Partial<Record<Exclusion, number>>
  /** What can be booked, soonest first. */
  sessions: Offer[]
  /** What one reader would get, and if nothing, why. `not-found`: nobody on the list has the address asked for. */
  mail:
    | { kind: 'mail'; email: Email }
    | { kind: 'excluded'; reason: Exclusion }
    | { kind: 'nobody' }
    | { kind: 'not-found' }
}

type Needs = Pick<App, 'db' | 'config' | 'hashKey' | 'now' | 'templates'>
/** As much of an edition as the rules ask for. */
type Issue = Pick<Edition, 'id' | 'throughSeq' | 'audienceThrough'>
type Judge = (candidate: KnownCandidate) => Exclusion | { key: string; selection: Selection }

const CHUNK = 2_000

/**
 * What an edition planned this moment would be: whom it would reach, what it would tell, and the mail of one reader, the
 * one `email` names or else of the kind that most recipients are of. The same rules as planning; nothing is written.
 * The mail's personal links are made for nobody and do nothing.
 */
export async function previewEdition(
  app: Needs,
  { email }: { email?: string | undefined } = {},
): Promise<Preview> {
  const { slot, already } = await slotToShow(app)
  const at = new Date(Math.max(slot.at.getTime(), app.now().getTime()))
  const { throughSeq, sessions } = await openSessions(app.db, at)
  const offers = offersAt(sessions, at)
  const edition = asIfBegun(slot, throughSeq)
  const judge = judgeOf(offers, { edition, at, max: app.config.DIGEST_MAX_SESSIONS })
  const { commonest, ...counts } = await judgeEveryone(app, edition, judge)

  const compose = composerOf(app, offers, edition.id)
  const mailOf = async (): Promise<Preview['mail']> => {
    if (email !== undefined) return mailFor(app, edition, email, { judge, compose })
    if (commonest === null) return { kind: 'nobody' }
    return {
      kind: 'mail',
      email: compose({ ...TYPICAL, timeZone: app.config.DIGEST_TIME_ZONE, ...commonest }),
    }
  }
  const mail = await mailOf()
  return {
    edition: { id: slot.editionId, scheduledFor: slot.at.toISOString() },
    already,
    ...counts,
    sessions: offers,
    mail,
  }
}

const TYPICAL = {
  publicId: 'preview',
  email: 'reader@preview.invalid',
  name: null,
  locale: 'en',
  discreet: false,
}

async function slotToShow(app: Needs): Promise<{ slot: Slot; already: Preview['already'] }> {
  const slot = slotAtOrBefore(app.config.slotRule, app.now())
  const found = await findEdition(app.db, slot.editionId)
  if (found === null) return { slot, already: null }
  return { slot: nextSlot(app.config.slotRule, app.now()), already: { id: found.id, state: found.state } }
}

function asIfBegun(slot: Slot, throughSeq: number): Issue {
  const audienceThrough = Number.MAX_SAFE_INTEGER
  return { id: slot.editionId, throughSeq, audienceThrough }
}

// Most readers have seen and chosen the same, so what they would be shown is worked out once for all of them.
function judgeOf(
  offers: readonly Offer[],
  { edition, at, max }: { edition: Issue; at: Date; max: number },
): Judge {
  const known = new Map<string, Selection | null>()
  return (candidate) => {
    const barred = exclusionOf(candidate, edition.id, at)
    if (barred) return barred
    const { topics, seen } = seenBy(candidate.seenThrough, candidate.topicRows)
    const key = `${topics && [...topics].join()}|${seen.general}|${[...seen.byTopic].join(';')}`
    let selection = known.get(key)
    if (selection === undefined) {
      selection = selectFor({ topics, seen }, offers, edition.throughSeq, max)
      known.set(key, selection)
    }
    return selection === null ? 'nothing-new' : { key, selection }
  }
}

async function judgeEveryone({ db }: Needs, edition: Issue, judge: Judge) {
  const excluded: Preview['excluded'] = {}
  const kinds = new Map<string, { selection: Selection; count: number }>()
  let [candidates, recipients] = [0, 0]
  for (let after = 0; ; ) {
    const chunk = await candidatesAfter(db, edition, after, CHUNK)
    for (const candidate of chunk) {
      const verdict = judge(candidate)
      if (typeof verdict === 'string') excluded[verdict] = (excluded[verdict] ?? 0) + 1
      else {
        recipients += 1
        const { key, selection } = verdict
        kinds.set(key, { selection, count: (kinds.get(key)?.count ?? 0) + 1 })
      }
    }
    candidates += chunk.length
    const last = chunk.at(-1)
    if (!last) break
    after = last.id
    await setImmediate()
  }
  const [first] = [...kinds.values()].sort((a, b) => b.count - a.count)
  return { candidates, recipients, excluded, commonest: first?.selection ?? null }
}

type Compose = (reader: Reader) => Email

async function mailFor(
  app: Needs,
  edition: Issue,
  email: string,
  { judge, compose }: { judge: Judge; compose: Compose },
): Promise<Preview['mail']> {
  const subscriber = await findByEmailHash(app.db, keyOf(app.hashKey, email))
  if (subscriber === null) return { kind: 'not-found' }
  const [candidate] = await candidatesAfter(app.db, edition, subscriber.id - 1, 1)
  if (candidate?.id !== subscriber.id) return { kind: 'not-found' }
  const verdict = judge(candidate)
  if (typeof verdict === 'string') return { kind: 'excluded', reason: verdict }
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
      ...verdict.selection,
    }),
  }
}

function composerOf(app: Needs, offers: readonly Offer[], editionId: string): Compose {
  const template = templateNow(app)
  const composer = digestComposer(template, offers, { id: editionId }, linksFor(app, template.letterhead))
  return (reader) => composer(reader, 'preview')
}
