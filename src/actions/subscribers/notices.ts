import type { App } from '../../app.ts'
import { letterheadOf } from '../../core/mail/letterhead.ts'
import { linksOf } from '../../core/mail/links.ts'
import { byStranger, composeNotice, type NoticeFacts, type NoticeKind } from '../../core/mail/notice.ts'
import { requestJson } from '../../core/mail/request.ts'
import { withoutAddresses } from '../../core/text/redact.ts'
import { nextSlot } from '../../core/time/calendar.ts'
import { longDay } from '../../core/time/occurrences.ts'
import { type Purpose, signDatedToken, signToken } from '../../core/tokens.ts'
import { expectFacts } from '../../core/words/expect.ts'
import { translatorFor } from '../../core/words/words.ts'
import { keyTrustEnd } from '../../db/ledger/batches.ts'
import {
  claimNotice,
  endNotice,
  findNotice,
  freezeNotice,
  type Notice,
  type NoticeReader,
  readerOf,
  returnNotice,
} from '../../db/people/notices.ts'
import { manner } from '../../db/people/sign-ups.ts'
import { databaseTrouble } from '../../db/trouble.ts'
import type { SubmitAnswer } from '../../resend/mailer.ts'
import { reviewNoticeBody } from '../editions/review-notice.ts'
import { isLeft, retryAt } from '../editions/submit.ts'

export type NoticeOutcome =
  | { kind: 'submitted' | 'ended' | 'not-ours' }
  | { kind: 'again'; at: Date }
  | { kind: 'rate-limited'; ms: number }

/** How long a link to confirm something is valid. */
export const LINK_LIFE_MS = 7 * 86_400_000
/** How long a fresh link is valid. It can be used once. */
export const FRESH_LIFE_MS = 15 * 60_000
/** Not the id of a real notice. It is enqueued and composed where there is nothing to send, so that both take as long. */
export const DECOY = 0
const REFUSED_WAIT_MS = 300_000

/**
 * Submits one notice like a batch of one: claimed, frozen, under its own key, recorded. Idempotent and crash-safe. Drops it
 * if its reader is gone or suppressed, or no longer needs it.
 */
export async function submitNotice(app: App, id: number): Promise<NoticeOutcome> {
  if (id === DECOY) compose(app, DECOY_FACTS, app.config.LOCALE)
  const now = app.now()
  const found = await findNotice(app.store, id)
  const gone = found !== null && isLeft(found, now) ? found.claimedBy : null
  const notice = await claimNotice(app.store, id, app.instance, now, gone)
  if (notice === null) return { kind: 'not-ours' }
  try {
    return await submitClaimed(app, notice)
  } catch (error) {
    // It may have been accepted, so what is frozen stays frozen.
    const reason = withoutAddresses((error as Error).message)
    await returnNotice(app.store, notice, {
      refused: false,
      reason,
      nextAttemptAt: retryAt(app, notice),
    }).catch(() => {})
    throw error
  }
}

async function submitClaimed(app: App, notice: Notice): Promise<NoticeOutcome> {
  const body = notice.firstAttemptAt === null ? await freeze(app, notice) : notice.body
  if (body === null) return { kind: 'ended' }
  if (notice.firstAttemptAt !== null && notice.firstAttemptAt < keyTrustEnd(app.now())) {
    await endNotice(
      app.store,
      notice,
      { state: 'unknown', reason: 'no certain answer within 23 hours' },
      app.now(),
    )
    return { kind: 'ended' }
  }
  const answer = await app.mailer.submitBatch({ body: Buffer.from(body), size: 1, key: notice.key })
  return record(app, notice, answer)
}

async function freeze(app: App, notice: Notice): Promise<string | null> {
  return isForReader(notice) ? freezeForReader(app, notice) : freezeForOperator(app, notice)
}

/** A notice to a subscriber. */
type ReaderNotice = Notice & { kind: NoticeKind }

const isForReader = (notice: Notice): notice is ReaderNotice => notice.operatorId === null

async function freezeForOperator(app: App, notice: Notice): Promise<string | null> {
  const made = await orFailed(app, notice, () => reviewNoticeBody(app, notice))
  if (made === null) return null
  if ('body' in made) return (await freezeNotice(app.store, notice, made.body, app.now())) ? made.body : null
  await endNotice(app.store, notice, { state: 'dropped', reason: made.drop }, app.now())
  return null
}

async function freezeForReader(app: App, notice: ReaderNotice): Promise<string | null> {
  const now = app.now()
  const reader = await readerOf(app.store, notice)
  // Composed before deciding whether it goes out, so that the time taken reveals nothing.
  const body = reader && (await bodyFor(app, notice, reader))
  if (reader !== null && body === null) return null
  const drop = reader === null ? 'the reader is gone' : whyDrop(notice, reader, now)
  if (body === null || drop !== null) {
    await endNotice(app.store, notice, { state: 'dropped', reason: drop ?? '' }, now)
    return null
  }
  return (await freezeNotice(app.store, notice, body, now)) ? body : null
}

/** The request, or null if no email can be made from the row: then the notice has failed. */
async function bodyFor(app: App, notice: ReaderNotice, reader: NoticeReader): Promise<string | null> {
  return orFailed(app, notice, async () =>
    compose(app, factsOf(app, notice, reader), mannerOf(notice, reader).locale),
  )
}

/** What `make` makes of a notice; null if it cannot, and then the notice has failed. */
async function orFailed<Made>(app: App, notice: Notice, make: () => Promise<Made>): Promise<Made | null> {
  try {
    return await make()
  } catch (error) {
    if (databaseTrouble(error) !== null) throw error
    const reason = withoutAddresses(`no email can be made: ${(error as Error).message}`)
    app.log.error({ notice: notice.id, kind: notice.kind, reason }, 'a notice failed')
    await endNotice(app.store, notice, { state: 'failed', reason }, app.now())
    return null
  }
}

function compose(app: App, facts: Omit<NoticeFacts, 'nextDate'>, locale: string) {
  const translator = translatorFor(app.templates.words, locale)
  const nextSlotAt = nextSlot(app.config.slotRule, app.now()).at
  const nextDate = longDay(nextSlotAt, facts.timeZone, translator.locale)
  const letterhead = letterheadOf(app.config)
  const expect = facts.kind === 'welcome' ? app.templates.expect(expectFacts(app.config), translator) : null
  const all = { ...facts, nextDate, expect }
  return `[${requestJson(composeNotice(app.templates.notice, letterhead, all, translator))}]`
}

function factsOf(app: App, notice: ReaderNotice, reader: NoticeReader) {
  const { kind } = notice
  const links = linksOf(app.config.LINK_SECRET, letterheadOf(app.config))
  return {
    id: noticeId(notice),
    kind,
    to: reader.to,
    // A stranger may have written the name.
    name: kind === 'welcome' ? reader.name : null,
    discreet: mannerOf(notice, reader).discreet,
    url: urlFor(app, notice, reader),
    unsubscribeUrl: kind === 'already' || kind === 'welcome' ? links.unsubscribe(reader.publicId) : null,
    unsubscribeAddress:
      kind === 'already' || kind === 'welcome' ? links.unsubscribeAddress(reader.publicId) : null,
    preferencesUrl: kind === 'welcome' ? links.preferences(reader.publicId) : null,
    notMeUrl: byStranger(kind)
      ? `${app.config.PUBLIC_URL}/not-me/${signToken(app.config.LINK_SECRET[0] ?? '', 'not-me', reader.toHash)}`
      : null,
    timeZone: reader.timeZone,
  }
}

const DECOY_FACTS = {
  id: 'decoy',
  kind: 'confirm',
  to: 'nobody@invalid',
  name: null,
  discreet: false,
  url: 'https://invalid/',
  unsubscribeUrl: null,
  unsubscribeAddress: null,
  preferencesUrl: null,
  notMeUrl: 'https://invalid/',
  timeZone: 'UTC',
} as const

/** The last part of its key, which its link contains. */
const noticeId = ({ key }: Notice): string => key.split('/').at(-1) ?? ''

/** Answers a form in its own language. A discreet reader always gets discreet emails. */
function mannerOf({ form }: Notice, { locale, discreet }: NoticeReader) {
  const asked = form === null ? { locale, discreet } : manner(form)
  return { locale: asked.locale, discreet: discreet || asked.discreet }
}

function whyDrop(notice: ReaderNotice, reader: NoticeReader, now: Date): string | null {
  const { kind } = notice
  // The owner of an erased address may come back.
  const returning = reader.suppressed === 'erased' && (kind === 'confirm' || kind === 'change-address')
  if (reader.suppressed !== null && !returning) return 'the address is suppressed'
  if (reader.refused && byStranger(kind)) return 'the holder of the address wants no such email'
  const life = FRESH.has(kind) ? FRESH_LIFE_MS : LINK_LIFE_MS
  if (now.getTime() - notice.createdAt > life) return 'its link would have expired'
  if (kind === 'confirm' && reader.status === 'active') return 'the reader has confirmed'
  if (FOR_SUBSCRIBED.has(kind) && reader.status !== 'active') return 'the reader has left'
  return null
}

const FRESH = new Set<Notice['kind']>(['fresh-data', 'fresh-forget', 'fresh-address'])
const FOR_SUBSCRIBED = new Set<Notice['kind']>(['welcome', 'already', 'change-address', 'fresh-address'])

function urlFor(app: App, notice: ReaderNotice, reader: NoticeReader): string {
  const { LINK_SECRET, PUBLIC_URL } = app.config
  const { publicId, addressChange } = reader
  const dated = (purpose: Purpose, id = '', at: number | null = notice.createdAt) =>
    `${PUBLIC_URL}/${purpose}/${signDatedToken(LINK_SECRET[0] ?? '', purpose, id, new Date(at ?? 0))}`
  switch (notice.kind) {
    case 'confirm':
      return dated('confirm', publicId)
    case 'change-address':
      return dated('change-address', addressChange?.publicId)
    case 'address-changed':
      return dated('undo-address', addressChange?.publicId, addressChange?.changedAt)
    case 'welcome':
      return `${PUBLIC_URL}/sessions`
    case 'already':
    case 'fresh-links':
      return linksOf(app.config.LINK_SECRET, letterheadOf(app.config)).preferences(publicId)
    case 'fresh-data':
    case 'fresh-forget':
    case 'fresh-address':
      return dated('fresh', noticeId(notice))
  }
}

async function record(app: App, notice: Notice, answer: SubmitAnswer): Promise<NoticeOutcome> {
  const log = app.log.child({ notice: notice.id, kind: notice.kind })
  switch (answer.kind) {
    case 'accepted': {
      const [result = { refused: 'Resend did not answer for it' }] = answer.results
      const end =
        'id' in result
          ? { state: 'submitted' as const, providerId: result.id }
          : { state: 'failed' as const, reason: result.refused }
      await endNotice(app.store, notice, end, app.now())
      log.info({ state: end.state }, 'notice submitted')
      return { kind: 'submitted' }
    }
    case 'conflict':
      await endNotice(app.store, notice, { state: 'unknown', reason: answer.reason }, app.now())
      return { kind: 'ended' }
    case 'rate-limited': {
      const nextAttemptAt = new Date(app.now().getTime() + answer.retryAfterMs)
      await returnNotice(app.store, notice, {
        refused: true,
        reason: 'the provider asked to wait',
        nextAttemptAt,
      })
      return { kind: 'rate-limited', ms: answer.retryAfterMs }
    }
    case 'uncertain':
    case 'stopped': {
      const refused = answer.kind === 'stopped'
      const at = refused ? new Date(app.now().getTime() + REFUSED_WAIT_MS) : retryAt(app, notice)
      log.warn({ reason: answer.reason, again: at }, 'a notice waits for its next attempt')
      await returnNotice(app.store, notice, { refused, reason: answer.reason, nextAttemptAt: at })
      return { kind: 'again', at }
    }
  }
}
