import type { App } from '../app.ts'
import { nextSlot } from '../core/calendar.ts'
import type { Email } from '../core/email.ts'
import { composeNotice } from '../core/notice.ts'
import { formatOccurrence } from '../core/occurrences.ts'
import { withoutAddresses } from '../core/redact.ts'
import { requestJson } from '../core/request.ts'
import { signDatedToken } from '../core/tokens.ts'
import { voiceFor } from '../core/words.ts'
import { KEY_TRUST_MS } from '../db/batches.ts'
import {
  claimNotice,
  endNotice,
  findNotice,
  freezeNotice,
  type Notice,
  type NoticeReader,
  readerOf,
  releaseNotice,
} from '../db/notices.ts'
import type { SubmitAnswer } from '../mail.ts'
import { linksFor, templateNow } from './freeze-batch.ts'
import { isLeft, retryAt } from './submit-batch.ts'

export type NoticeOutcome =
  | { kind: 'submitted' | 'ended' | 'not-ours' }
  | { kind: 'again'; at: Date }
  | { kind: 'rate-limited'; ms: number }

/** How long a link that confirms something is good for. */
export const LINK_LIFE_MS = 7 * 86_400_000
const REFUSED_WAIT_MS = 300_000

/**
 * Submits one notice as a batch of one: claimed, frozen, under its own key, recorded. Safe to run twice and after a kill.
 * It is dropped when its reader is gone, suppressed, or needs it no more.
 */
export async function submitNotice(app: App, id: number): Promise<NoticeOutcome> {
  const now = app.now()
  const found = await findNotice(app.db, id)
  const gone = found !== null && isLeft(found, now) ? found.claimedBy : null
  const notice = await claimNotice(app.db, id, app.instance, now, gone)
  if (notice === null) return { kind: 'not-ours' }
  try {
    return await submitClaimed(app, notice)
  } catch (error) {
    // Whether it was accepted is not known here, so what is frozen stays frozen.
    const reason = withoutAddresses((error as Error).message)
    await releaseNotice(app.db, notice, {
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
  if (notice.firstAttemptAt !== null && app.now().getTime() - notice.firstAttemptAt > KEY_TRUST_MS) {
    await endNotice(
      app.db,
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
  const now = app.now()
  const reader = await readerOf(app.db, notice)
  const drop = reader === null ? 'the reader is gone' : whyDrop(notice, reader, now)
  if (reader === null || drop) {
    await endNotice(app.db, notice, { state: 'dropped', reason: drop ?? '' }, now)
    return null
  }
  const body = await bodyFor(app, notice, reader)
  return body !== null && (await freezeNotice(app.db, notice, body, now)) ? body : null
}

/** The request, or null when no email can be made (a zone that is none, written by plain SQL): the notice has failed. */
async function bodyFor(app: App, notice: Notice, reader: NoticeReader): Promise<string | null> {
  try {
    return `[${requestJson(emailFor(app, notice, reader))}]`
  } catch (error) {
    const reason = withoutAddresses(`no email can be made: ${(error as Error).message}`)
    app.log.error({ notice: notice.id, kind: notice.kind, reason }, 'a notice failed')
    await endNotice(app.db, notice, { state: 'failed', reason }, app.now())
    return null
  }
}

function emailFor(app: App, notice: Notice, reader: NoticeReader): Email {
  const { letterhead } = templateNow(app)
  const voice = voiceFor(app.templates.words, reader.locale)
  const links = linksFor(app, letterhead)
  const subscribed = notice.kind === 'already' || notice.kind === 'welcome'
  const facts = {
    id: notice.key.split('/').at(-1) ?? '',
    kind: notice.kind,
    to: reader.to,
    name: reader.name,
    discreet: reader.discreet,
    url: urlFor(app, notice, reader),
    unsubscribeUrl: subscribed ? links.unsubscribe(reader.publicId) : null,
    unsubscribeAddress: subscribed ? links.unsubscribeAddress(reader.publicId) : null,
    preferencesUrl: notice.kind === 'welcome' ? links.preferences(reader.publicId) : null,
    nextDate: formatOccurrence(nextSlot(app.config.slotRule, app.now()).at, reader.timeZone, voice.locale)
      .day,
  }
  return composeNotice(app.templates.notice, letterhead, facts, voice)
}

function whyDrop(notice: Notice, reader: NoticeReader, now: Date): string | null {
  if (reader.suppressed) return 'the address is suppressed'
  if (now.getTime() - notice.createdAt > LINK_LIFE_MS) return 'its link would have expired'
  if (notice.kind === 'confirm' && reader.status === 'active') return 'the reader has confirmed'
  if (notice.kind !== 'confirm' && reader.status !== 'active') return 'the reader has left'
  return null
}

function urlFor(app: App, notice: Notice, reader: NoticeReader): string {
  const { LINK_SECRET, PUBLIC_URL } = app.config
  const secret = LINK_SECRET[0] ?? ''
  const at = new Date(notice.createdAt)
  switch (notice.kind) {
    case 'confirm':
      return `${PUBLIC_URL}/confirm/${signDatedToken(secret, 'confirm', reader.publicId, at)}`
    case 'change-address':
      return `${PUBLIC_URL}/change-address/${signDatedToken(secret, 'change-address', reader.addressChangePublicId ?? '', at)}`
    case 'welcome':
      return `${PUBLIC_URL}/sessions`
    case 'already':
      return linksFor(app, templateNow(app).letterhead).preferences(reader.publicId)
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
      await endNotice(app.db, notice, end, app.now())
      log.info({ state: end.state }, 'notice submitted')
      return { kind: 'submitted' }
    }
    case 'conflict':
      await endNotice(app.db, notice, { state: 'unknown', reason: answer.reason }, app.now())
      return { kind: 'ended' }
    case 'rate-limited': {
      const nextAttemptAt = new Date(app.now().getTime() + answer.retryAfterMs)
      await releaseNotice(app.db, notice, {
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
      await releaseNotice(app.db, notice, { refused, reason: answer.reason, nextAttemptAt: at })
      return { kind: 'again', at }
    }
  }
}
