import type { App } from '../../app.ts'
import { letterheadOf } from '../../core/mail/letterhead.ts'
import { requestJson } from '../../core/mail/request.ts'
import { composeReviewNotice, type Outlook, type ReviewFacts } from '../../core/mail/review-notice.ts'
import { decide } from '../../core/review/decision.ts'
import { translatorFor } from '../../core/words/words.ts'
import { findReview, type Review } from '../../db/ledger/reviews.ts'
import { findApprover, hasApprovers } from '../../db/operators/approvers.ts'
import type { Notice } from '../../db/people/notices.ts'
import { findSuppression } from '../../db/people/suppressions.ts'
import { keyOf } from '../subscribers/consent.ts'

const HOUR_MS = 3_600_000

/** The request of an email to an operator about a coming edition, by what is known now; or why it is not sent any more. */
export async function reviewNoticeBody(
  app: App,
  notice: Notice,
): Promise<{ body: string } | { drop: string }> {
  const { store, config } = app
  const operator = await findApprover(store, notice.operatorId ?? 0)
  const review = await findReview(store, notice.editionId ?? '')
  if (operator === null || review === null) return { drop: 'the operator is gone' }
  if ((await findSuppression(store, keyOf(app.hashKey, operator.email))) !== null)
    return { drop: 'the address is suppressed' }
  const facts = await factsOf(app, review)
  if (app.now() > facts.until) return { drop: 'the edition is over' }
  if (notice.kind === 'waits' && facts.outlook !== 'waits' && facts.outlook !== 'held')
    return { drop: 'the edition does not wait any more' }
  const words = translatorFor(app.templates.operatorWords, config.LOCALE)
  const translator = translatorFor(app.templates.words, words.language)
  const email = composeReviewNotice(
    app.templates.notice,
    letterheadOf(config),
    { ...facts, id: notice.key.split('/').at(-1) ?? '', to: operator.email },
    { words, translator },
  )
  return { body: `[${requestJson(email)}]` }
}

async function factsOf({ store, config, now }: App, review: Review): Promise<Omit<ReviewFacts, 'id' | 'to'>> {
  const at = new Date(review.scheduledFor)
  return {
    editionId: review.editionId,
    at,
    timeZone: config.DIGEST_TIME_ZONE,
    isDue: now() >= at,
    outlook: outlookOf(
      review,
      decide(review, { approval: config.APPROVAL, operators: await hasApprovers(store) }, { at, now: now() }),
    ),
    flags: review.flags,
    counts: review.counts,
    until: new Date(review.scheduledFor + config.DIGEST_CATCH_UP_HOURS * HOUR_MS),
    url: `${config.operatorOrigin}/`,
  }
}

function outlookOf({ plannedAt }: Review, { state, waits }: ReturnType<typeof decide>): Outlook {
  if (plannedAt !== null) return 'going'
  if (state === 'held') return 'held'
  if (waits) return 'waits'
  return state === 'approved' ? 'approved' : 'goes'
}
