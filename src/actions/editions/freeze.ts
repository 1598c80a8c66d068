import { hash } from 'node:crypto'
import type { App } from '../../app.ts'
import type { Exclusion } from '../../core/audience/exclusion.ts'
import { type Judge, type Judgment, openJudge } from '../../core/audience/judge.ts'
import type { DigestTemplate } from '../../core/mail/digest.ts'
import { letterheadOf, type Reader } from '../../core/mail/letterhead.ts'
import { linksOf } from '../../core/mail/links.ts'
import { batchBody, type RequestPart, requestComposer } from '../../core/mail/request.ts'
import { type Offer, thawed } from '../../core/sessions/offers.ts'
import { withoutAddresses } from '../../core/text/redact.ts'
import { deliveryTagger, earlierDeliveryTagger, earlierSignLinks, signLinks } from '../../core/tokens.ts'
import { closeEmptyBatch, freezeBatch } from '../../db/ledger/batch-claims.ts'
import { type Batch } from '../../db/ledger/batches.ts'
import { frozenDeliveries, type OpenDelivery, openDeliveries } from '../../db/ledger/deliveries.ts'
import type { Edition } from '../../db/ledger/editions.ts'
import { frozenContent } from '../../db/ledger/frozen-contents.ts'
import { sessionsVersion } from '../../db/sessions/sessions.ts'
import { failpoint, guardOn } from '../../failpoint.ts'
import { settleSeats } from '../sessions/seats.ts'
import { correctionFor } from './correction.ts'
import { offersLeft } from './offers-left.ts'

/** A batch ready to be submitted: the bytes, and the deliveries in their order. */
export type Frozen = { body: Buffer<ArrayBuffer>; deliveries: { id: number; covered: number[] | null }[] }

/** The outcome of a first claim. `changed`: what it looked at changed in the meantime, so that it must look again. */
export type FirstClaim = { batch: Batch; frozen: Frozen } | 'nobody-left' | 'changed' | 'not-ours'

/** What a delivery keeps from its first claim to its outcome. */
type FrozenReader = Reader & { covered: number[] | null }

/** A cache from one batch to the next; safe to drop at any time. */
export type FreezeMemory = {
  offers: KnownOffers | null
  template: Content | null
  composers: Map<string, ReturnType<typeof requestComposer>>
}

type KnownOffers = {
  editionId: string
  version: number
  validUntil: number
  offers: Offer[]
  content: Content
}

/** Something frozen, as text, with its hash. */
type Content = { text: string; hash: string }

/** With more offers than this, a batch freezes only the ones that its own readers see. */
const OFFERS_SHARED = 300

/**
 * Makes the last checks, once, before the first attempt: who may still be emailed, and what can still be booked. Claims the
 * batch and freezes the result in one transaction, so that every later attempt sends the same bytes. If nobody is left to
 * email, it closes the batch.
 */
export async function claimAndFreeze(
  app: App,
  memory: FreezeMemory,
  { batch, edition, gone }: { batch: Batch; edition: Edition; gone: string | null },
): Promise<FirstClaim> {
  const now = app.now()
  await settleSeats(app)
  const known =
    batch.corrects === null
      ? await bookableOffers(app, memory, edition, now)
      : await correctedOffer(app, edition, { ...batch, sessionId: batch.corrects }, now)
  const { open, readers: asRead } = await openDeliveries(app.store.read, batch.id)
  const checked = { readers: asRead, sessionsVersion: known.version }
  const resend = batch.generation === 0 ? null : { again: batch.again, corrects: batch.corrects }
  const max = app.config.DIGEST_MAX_SESSIONS
  const judge = openJudge({ ...edition, offers: known.offers, at: now, max, resend })
  // What was corrected may be as it was again: then there is nothing to say.
  const { excluded, readers } =
    batch.corrects !== null && known.offers.length === 0
      ? { excluded: open.map(({ id }) => ({ id, reason: 'nothing-new' as const })), readers: [] }
      : lastChecks(open, judge)
  const parts = partsOf(app, memory, known, readers)
  const { composed, failed } = compose(app, memory, { batch, parts, readers })
  const claim = { by: app.instance, at: app.now(), gone }
  if (composed.length === 0) {
    const closed = await closeEmptyBatch(app.store, batch.id, claim, { excluded, failed, checked })
    failpoint('after-close')
    return closed === 'closed' ? 'nobody-left' : (closed ?? 'not-ours')
  }
  const body = bodyOf(composed)
  const frozen = composed.map(({ id, reader }) => ({
    id,
    frozen: JSON.stringify(reader),
    shown: reader.shown.map((one) => one.id).join(),
  }))
  const content = { ...parts, excluded, failed, frozen, checked, bodyHash: hashOf(composed) }
  const freezing = freezeBatch(app.store, batch, claim, content)
  const unchecked = { ...batch, claimedBy: app.instance }
  const claimed = await (guardOn('freeze-first') ? freezing : freezing.catch(() => unchecked))
  failpoint('after-freeze')
  if (claimed === null) return 'not-ours'
  return claimed === 'changed' ? claimed : { batch: claimed, frozen: { body, deliveries: covered(composed) } }
}

/** Frozen with the batch, so that a retry outlives a change of templates and settings. */
function partsOf(
  app: App,
  memory: FreezeMemory,
  known: KnownOffers,
  readers: readonly CheckedReader[],
): Parts {
  memory.template ??= contentOf({ ...app.templates.digest, letterhead: letterheadOf(app.config) })
  const { template } = memory
  const offers =
    known.offers.length <= OFFERS_SHARED ? known.content : contentOf(offersShown(known.offers, readers))
  return {
    ...{ template: template.text, templateHash: template.hash },
    ...{ offers: offers.text, offersHash: offers.hash },
  }
}

/**
 * Rebuilds the same bytes from what was frozen. Returns null if they would differ, because the program changed or the link
 * secret is gone: then sending them would not be a retry.
 */
export async function rebuildFrozen(app: App, memory: FreezeMemory, batch: Batch): Promise<Frozen | null> {
  const { templateHash, offersHash } = batch
  if (templateHash === null || offersHash === null) return null
  const [template, offers] = [
    await frozenContent(app.store, templateHash),
    await frozenContent(app.store, offersHash),
  ]
  const readers = (await frozenDeliveries(app.store, batch.id)).map(({ id, frozen }) => ({
    id,
    reader: JSON.parse(frozen) as FrozenReader,
  }))
  const parts = { template, templateHash, offers, offersHash }
  for (const signing of [NOW, BEFORE, LONG_BEFORE]) {
    const { composed } = compose(app, memory, { batch, parts, readers, signing })
    if (hashOf(composed) === batch.bodyHash) return { body: bodyOf(composed), deliveries: covered(composed) }
  }
  return null
}

/** How links and tags are signed, now and by older versions, which may have frozen the batch. */
const NOW = { name: 'now', tagger: deliveryTagger, signLinks }
const BEFORE = { name: 'before', tagger: deliveryTagger, signLinks: earlierSignLinks }
const LONG_BEFORE = { name: 'long before', tagger: earlierDeliveryTagger, signLinks: earlierSignLinks }

type CheckedReader = { id: number; reader: FrozenReader }

// A resend that repeats the edition starts from the seen mark that its delivery kept.
function lastChecks(open: readonly OpenDelivery[], judge: Judge) {
  const excluded: { id: number; reason: Exclusion }[] = []
  const readers: CheckedReader[] = []
  for (const { id, seenThrough, subscriber } of open) {
    const judgment: Judgment =
      subscriber === null
        ? { exclusion: 'erased' }
        : judge.select({ ...subscriber, firstSeenThrough: seenThrough }, id)
    if (judgment.exclusion !== null) excluded.push({ id, reason: judgment.exclusion })
    else if (subscriber !== null) readers.push({ id, reader: readerOf(subscriber, judgment) })
  }
  return { excluded, readers }
}

function readerOf(
  { publicId, email, name, timeZone, locale, discreet }: NonNullable<OpenDelivery['subscriber']>,
  { topics, selection }: Extract<Judgment, { exclusion: null }>,
): FrozenReader {
  const covered = topics && [...topics]
  return { publicId, email, name, timeZone, locale, discreet, ...selection, covered }
}

/** What the edition can still offer. Reads it again only after a session changed or the next one started. */
async function bookableOffers(
  app: App,
  memory: FreezeMemory,
  edition: Edition,
  now: Date,
): Promise<KnownOffers> {
  const version = await sessionsVersion(app.store)
  const kept = memory.offers
  if (kept && kept.editionId === edition.id && kept.version === version && now.getTime() < kept.validUntil)
    return kept
  const offers = await offersLeft(app.store, edition, now)
  const validUntil = Date.parse(offers[0]?.startsAt ?? '') || Number.POSITIVE_INFINITY
  memory.offers = { editionId: edition.id, version, validUntil, offers, content: contentOf(offers) }
  return memory.offers
}

/** The one session of a correction. */
async function correctedOffer(
  { store }: App,
  edition: Edition,
  { sessionId, generation }: { sessionId: number; generation: number },
  now: Date,
): Promise<KnownOffers> {
  const version = await sessionsVersion(store)
  const offer = await correctionFor(store, { editionId: edition.id, sessionId, before: generation }, now)
  const offers = offer ? [offer] : []
  return { editionId: edition.id, version, validUntil: 0, offers, content: contentOf(offers) }
}

function offersShown(offers: readonly Offer[], readers: readonly CheckedReader[]): Offer[] {
  const shown = new Set(readers.flatMap(({ reader }) => reader.shown.map(({ id }) => id)))
  return offers.filter((offer) => shown.has(offer.id))
}

type Parts = { template: string; templateHash: string; offers: string; offersHash: string }

// If a reader's email cannot be made (plain SQL wrote an address with a line break), only that one fails.
function compose(
  app: App,
  memory: FreezeMemory,
  what: { batch: Batch; parts: Parts; readers: readonly CheckedReader[]; signing?: typeof NOW },
) {
  const { batch, parts, readers, signing = NOW } = what
  const composer = composerFor(app, memory, { batch, parts, signing })
  const tagOf = signing.tagger(app.hashKey, batch)
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
      failed.push({ id, reason: withoutAddresses(`the email cannot be made: ${(error as Error).message}`) })
    }
  }
  return { composed, failed }
}

type Composed = CheckedReader & { mail: RequestPart }

const bodyOf = (composed: readonly Composed[]) => batchBody(composed.map(({ mail }) => mail.pieces))

// Hashes the fingerprints instead of the bytes: hashing megabytes per batch would cost more than composing them.
const hashOf = (composed: readonly Composed[]) =>
  sha256(composed.map(({ mail }) => mail.fingerprint).join('\n'))

// A composer keeps the pages it rendered, and the batches of an edition share them.
function composerFor(
  app: App,
  { composers }: FreezeMemory,
  { batch, parts, signing }: { batch: Batch; parts: Parts; signing: typeof NOW },
) {
  const key = `${batch.editionId}|${parts.templateHash}|${parts.offersHash}|${signing.name}`
  const known = composers.get(key)
  if (known) return known
  if (composers.size >= 4) composers.clear()
  const template = JSON.parse(parts.template) as DigestTemplate
  const links = linksOf(app.config.LINK_SECRET, template.letterhead, signing.signLinks)
  const composer = requestComposer(
    template,
    (JSON.parse(parts.offers) as Partial<Offer>[]).map(thawed),
    { id: batch.editionId },
    links,
  )
  composers.set(key, composer)
  return composer
}

function covered(readers: readonly CheckedReader[]) {
  return readers.map(({ id, reader }) => ({ id, covered: reader.covered }))
}

function contentOf(value: unknown): Content {
  const text = JSON.stringify(value)
  return { text, hash: sha256(text) }
}

const sha256 = (text: string): string => hash('sha256', text, 'base64url')
