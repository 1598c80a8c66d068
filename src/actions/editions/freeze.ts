import { hash } from 'node:crypto'
import type { App } from '../../app.ts'
import { type Exclusion, exclusionOf } from '../../core/audience/exclusion.ts'
import { isTold } from '../../core/audience/news.ts'
import { type ChosenTopics, type Seen, seenBy } from '../../core/audience/seen.ts'
import type { DigestTemplate } from '../../core/mail/digest.ts'
import { letterheadOf, type Reader } from '../../core/mail/letterhead.ts'
import { linksOf } from '../../core/mail/links.ts'
import { batchBody, type RequestPart, requestComposer } from '../../core/mail/request.ts'
import { type Offer, offersAt, rotationCount, type Selection, selectFor } from '../../core/sessions/offers.ts'
import { withoutAddresses } from '../../core/text/redact.ts'
import { deliveryTagger, earlierDeliveryTagger } from '../../core/tokens.ts'
import { closeEmptyBatch, freezeBatch } from '../../db/ledger/batch-states.ts'
import { type Batch } from '../../db/ledger/batches.ts'
import { frozenDeliveries, type OpenDelivery, openDeliveries } from '../../db/ledger/deliveries.ts'
import type { Edition } from '../../db/ledger/editions.ts'
import { frozenContent } from '../../db/ledger/frozen-contents.ts'
import { sessionsOfEdition, sessionsVersion } from '../../db/sessions/sessions.ts'
import { failpoint } from '../../failpoint.ts'

/** A batch ready to be submitted: the bytes, and the deliveries in their order. */
export type Frozen = { body: Buffer<ArrayBuffer>; deliveries: { id: number; covered: number[] | null }[] }

/** What a delivery keeps from its first claim to its outcome. */
type FrozenReader = Reader & { covered: number[] | null }

/** What freezing remembers from one batch to the next; it may be forgotten at any time. */
export type FreezeMemory = {
  offers: { editionId: string; version: number; validUntil: number; offers: Offer[] } | null
  composers: Map<string, ReturnType<typeof requestComposer>>
}

/** Beyond this many offers a batch freezes only those its own readers are shown. */
const OFFERS_SHARED = 300

/**
 * The last checks, made once, at the first claim: who may still be mailed, what can still be booked. What they find is
 * frozen, so that every later attempt sends the same bytes. Null: nobody is left to mail, and the batch is closed; or
 * the claim was lost.
 */
export async function freeze(
  app: App,
  memory: FreezeMemory,
  batch: Batch,
  edition: Edition,
): Promise<Frozen | null> {
  const now = app.now()
  const offers = await bookableOffers(app, memory, edition, now)
  const open = await openDeliveries(app.db, batch.id)
  const { excluded, readers } = lastChecks(open, offers, {
    batch,
    edition,
    now,
    max: app.config.DIGEST_MAX_SESSIONS,
  })
  // Frozen with the batch, so that a retry outlives a change of templates and settings.
  const template = canonical({ ...app.templates.digest, letterhead: letterheadOf(app.config) })
  const offersJson = canonical(offers.length <= OFFERS_SHARED ? offers : offersShown(offers, readers))
  const parts = {
    template,
    templateHash: sha256(template),
    offers: offersJson,
    offersHash: sha256(offersJson),
  }
  const { composed, failed } = compose(app, memory, { batch, parts, readers })
  if (composed.length === 0) {
    await closeEmptyBatch(app.db, batch, { excluded, failed }, now)
    failpoint('after-close')
    return null
  }
  const body = bodyOf(composed)
  const frozen = composed.map(({ id, reader }) => ({ id, frozen: JSON.stringify(reader) }))
  const kept = await freezeBatch(
    app.db,
    batch,
    { ...parts, excluded, failed, frozen, bodyHash: hashOf(composed) },
    app.now(), // not the instant of the checks: a process that slept since has lost its turn
  )
  failpoint('after-freeze')
  return kept ? { body, deliveries: covered(composed) } : null
}

/**
 * The same bytes again, from what was frozen. Null when they would differ (the program changed, or the link secret is
 * gone): sending them would not be a retry.
 */
export async function rebuildFrozen(app: App, memory: FreezeMemory, batch: Batch): Promise<Frozen | null> {
  const { templateHash, offersHash } = batch
  if (templateHash === null || offersHash === null) return null
  const [template, offers] = [
    await frozenContent(app.db, templateHash),
    await frozenContent(app.db, offersHash),
  ]
  const readers = (await frozenDeliveries(app.db, batch.id)).map(({ id, frozen }) => ({
    id,
    reader: JSON.parse(frozen) as FrozenReader,
  }))
  const parts = { template, templateHash, offers, offersHash }
  for (const tagger of [deliveryTagger, earlierDeliveryTagger]) {
    const { composed } = compose(app, memory, { batch, parts, readers, tagger })
    if (hashOf(composed) === batch.bodyHash) return { body: bodyOf(composed), deliveries: covered(composed) }
  }
  return null
}

type CheckedReader = { id: number; reader: FrozenReader }
type Checks = { batch: Batch; edition: Edition; now: Date; max: number }

function lastChecks(open: readonly OpenDelivery[], offers: readonly Offer[], checks: Checks) {
  const excluded: { id: number; reason: Exclusion }[] = []
  const readers: CheckedReader[] = []
  const select = rememberingSelector(offers, checks)
  const rotations = rotationCount(offers)
  for (const delivery of open) {
    const { id, subscriber } = delivery
    const reason = subscriber === null ? 'erased' : barredNow(subscriber, checks)
    if (reason !== null || subscriber === null) {
      excluded.push({ id, reason: reason ?? 'erased' })
      continue
    }
    const { topics, seen } = seenBy(subscriber.seenThrough, subscriber.topicRows)
    const selection = select(
      topics,
      checks.batch.again ? { general: delivery.seenThrough, byTopic: new Map() } : seen,
      id % rotations,
    )
    if (selection === null) {
      excluded.push({ id, reason: 'nothing-new' })
      continue
    }
    const { publicId, email, name, timeZone, locale, discreet } = subscriber
    const reader = {
      publicId,
      email,
      name,
      timeZone,
      locale,
      discreet,
      ...selection,
      covered: topics && [...topics],
    }
    readers.push({ id, reader })
  }
  return { excluded, readers }
}

// An operator who resends means this month's readers too; the monthly count is for the weekly job.
function barredNow(
  subscriber: NonNullable<OpenDelivery['subscriber']>,
  { batch, edition, now }: Checks,
): Exclusion | null {
  const candidate = batch.generation > 0 ? { ...subscriber, cadence: 'weekly' as const } : subscriber
  return exclusionOf(candidate, edition.id, now)
}

// Most readers of a batch have seen and chosen the same.
function rememberingSelector(offers: readonly Offer[], { edition, max }: Checks) {
  const known = new Map<string, Selection | null>()
  return (topics: ChosenTopics, seen: Seen, rotation: number): Selection | null => {
    const key = `${topics && [...topics].join()}|${seen.general}|${[...seen.byTopic].join(';')}|${rotation}`
    const found = known.get(key)
    if (found !== undefined) return found
    const selection = selectFor({ topics, seen }, offers, { throughSeq: edition.throughSeq, max, rotation })
    known.set(key, selection)
    return selection
  }
}

/** What the edition can still offer, read again only when a session changed or the next one has begun. */
async function bookableOffers(app: App, memory: FreezeMemory, edition: Edition, now: Date): Promise<Offer[]> {
  const version = await sessionsVersion(app.db)
  const kept = memory.offers
  if (kept && kept.editionId === edition.id && kept.version === version && now.getTime() < kept.validUntil)
    return kept.offers
  const offers = offersAt(await sessionsOfEdition(app.db, edition.id), now).filter((offer) =>
    isTold(offer, edition.throughSeq),
  )
  const validUntil = Date.parse(offers[0]?.startsAt ?? '') || Number.POSITIVE_INFINITY
  memory.offers = { editionId: edition.id, version, validUntil, offers }
  return offers
}

function offersShown(offers: readonly Offer[], readers: readonly CheckedReader[]): Offer[] {
  const shown = new Set(readers.flatMap(({ reader }) => reader.shown.map(({ id }) => id)))
  return offers.filter((offer) => shown.has(offer.id))
}

type Parts = { template: string; templateHash: string; offers: string; offersHash: string }

// A reader whose mail cannot be made (an address with a line break in it, written by plain SQL) fails alone.
function compose(
  app: App,
  memory: FreezeMemory,
  what: { batch: Batch; parts: Parts; readers: readonly CheckedReader[]; tagger?: typeof deliveryTagger },
) {
  const { batch, parts, readers, tagger = deliveryTagger } = what
  const composer = composerFor(app, memory, batch, parts)
  const tagOf = tagger(app.hashKey, batch)
  const composed: Composed[] = []
  const failed: { id: number; reason: string }[] = []
  for (const { id, reader } of readers) {
    try {
      composed.push({
        id,
        reader,
        mail: composer(reader, tagOf(id)),
      })
    } catch (error) {
      failed.push({ id, reason: withoutAddresses(`no mail can be made: ${(error as Error).message}`) })
    }
  }
  return { composed, failed }
}

type Composed = CheckedReader & { mail: RequestPart }

const bodyOf = (composed: readonly Composed[]) => batchBody(composed.map(({ mail }) => mail.pieces))

// Of the fingerprints, which stand for the bytes: hashing megabytes for every batch would cost more than making them.
const hashOf = (composed: readonly Composed[]) =>
  sha256(composed.map(({ mail }) => mail.fingerprint).join('\n'))

// A composer remembers the pages it rendered, and batches of an edition share them.
function composerFor(app: App, { composers }: FreezeMemory, batch: Batch, parts: Parts) {
  const key = `${batch.editionId}|${parts.templateHash}|${parts.offersHash}`
  const known = composers.get(key)
  if (known) return known
  if (composers.size >= 4) composers.clear()
  const template = JSON.parse(parts.template) as DigestTemplate
  const links = linksOf(app.config.LINK_SECRET, template.letterhead)
  const composer = requestComposer(
    template,
    JSON.parse(parts.offers) as Offer[],
    { id: batch.editionId },
    links,
  )
  composers.set(key, composer)
  return composer
}

function covered(readers: readonly CheckedReader[]) {
  return readers.map(({ id, reader }) => ({ id, covered: reader.covered }))
}

const canonical = (value: unknown): string => JSON.stringify(value)

const sha256 = (text: string): string => hash('sha256', text, 'base64url')
