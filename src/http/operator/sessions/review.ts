import type { FastifyReply } from 'fastify'
import type { Consequence } from '../../../actions/sessions/change.ts'
import type { App } from '../../../app.ts'
import type { Given } from '../../../core/intake/new-session.ts'
import { datesAhead } from './times.ts'

/** Fields that a form carries on to the next step. */
export const hiddenOf = (given: Given) => Object.entries(given).map(([name, value]) => ({ name, value }))

type Reviewed = { id: number; group: string; isMoved: boolean; hidden: Given; topic: string }

/** The page between an edit and its saving: who hears of it, and the two ways to save it. */
export function showReview(
  app: App,
  reply: FastifyReply,
  { text, news, loud, quiet, isMore }: Consequence,
  { id, group, isMoved, hidden, topic }: Reviewed,
): FastifyReply {
  const { t } = reply.words
  const more = String(isMore)
  const spares = quiet.again < loud.again
  const told = [
    ...(loud.again > 0 ? [t('sessions.review.again', { n: loud.again, more, news: news ?? 'moved' })] : []),
    ...(loud.fresh > 0 ? [t('sessions.review.fresh', { n: loud.fresh, more, topic })] : []),
    ...(spares ? [t('sessions.review.quiet', { n: quiet.again })] : []),
    ...(!spares && loud.again > 0 ? [t('sessions.review.not-quiet')] : []),
  ]
  return reply.show('session-review', {
    title: t('sessions.review.title', { group }),
    lead: null,
    ...(isMoved ? datesAhead(app, reply.words, text, app.now()) : { dates: [], notes: [] }),
    told,
    action: `/sessions/${id}`,
    hidden: hiddenOf(hidden),
    buttons: [
      { how: 'loud', look: '', label: t('sessions.review.save', { n: loud.again, fresh: loud.fresh, more }) },
      ...(spares ? [{ how: 'quiet', look: 'second', label: t('sessions.review.save-quietly') }] : []),
    ],
    back: t('sessions.review.back'),
  })
}
