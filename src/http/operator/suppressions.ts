import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../actions/operators/acting.ts'
import {
  liftSuppressionOf,
  lookAtSuppression,
  type SuppressionSeen,
  suppressionCounts,
} from '../../actions/subscribers/suppressed.ts'
import type { App } from '../../app.ts'
import { fieldOf } from './sign-in/browser.ts'
import { whenIn } from './when.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor' | 'queue'>

/** Adds `/suppressions`: addresses that must never be emailed, found by typing one. */
export function addSuppressionRoutes(server: FastifyInstance, app: Needs): void {
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)
  server.get('/suppressions', { config: { may: 'suppressions.see' } }, (request, reply) =>
    show(as(request), reply, {}),
  )
  server.post('/suppressions/find', { config: { may: 'suppressions.see' } }, async (request, reply) => {
    const email = fieldOf(request.body, 'email')
    const seen = await lookAtSuppression(as(request), email)
    return show(as(request), reply.code(STATUS[seen.kind]), { email, seen })
  })
  server.post('/suppressions/lift', { config: { may: 'suppressions.lift' } }, async (request, reply) => {
    const [email, consent] = [fieldOf(request.body, 'email'), fieldOf(request.body, 'consent')]
    if (consent.trim() === '') {
      const seen = await lookAtSuppression(as(request), email)
      return show(as(request), reply.code(422), {
        email,
        seen,
        wrong: reply.words.t('suppressions.consent.missing'),
      })
    }
    const { kind } = await liftSuppressionOf(as(request), email, consent)
    return reply.done('/suppressions', `suppressions.lifted.${kind}`)
  })
}

const STATUS: Record<SuppressionSeen['kind'], number> = {
  suppressed: 200,
  free: 200,
  'too-often': 429,
  'bad-address': 422,
}

async function show(
  app: Needs,
  reply: FastifyReply,
  {
    email = '',
    seen = null,
    wrong = null,
  }: { email?: string; seen?: SuppressionSeen | null; wrong?: string | null },
): Promise<FastifyReply> {
  const { t } = reply.words
  const counts = await suppressionCounts(app)
  const found = seen?.kind === 'suppressed' ? seen : null
  return reply.show('suppressions', {
    title: t('nav.suppressions'),
    wide: false,
    email,
    wrong,
    says: seen && seen.kind !== 'suppressed' ? saysOf(seen, reply) : null,
    found: found && {
      why: t(`suppressions.reason.${found.reason}`),
      since: whenIn(found.since, app.config.slotRule.timeZone, reply.words),
      canLift: found.reason !== 'erased' && !found.erased,
      complaint: found.reason === 'complaint',
      readerUrl: found.publicId && `/readers/${found.publicId}`,
    },
    counts: counts.map(({ reason, n }) => ({ n, why: t(`suppressions.reason.${reason}`) })),
  })
}

function saysOf(
  seen: Exclude<SuppressionSeen, { kind: 'suppressed' }>,
  { words: { t } }: FastifyReply,
): string {
  if (seen.kind === 'bad-address') return t('reader.bad-address', { problem: seen.problem })
  return t(seen.kind === 'free' ? 'suppressions.free' : 'reader.too-often')
}
