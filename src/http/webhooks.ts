import type { FastifyInstance, FastifyReply } from 'fastify'
import { recordEvent } from '../actions/provider/record-event.ts'
import type { App } from '../app.ts'
import { type SignedRequest, webhookVerifier } from '../resend/webhook-signature.ts'
import { registerScope } from './scope.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'metrics' | 'now'>

const BODY_LIMIT_BYTES = 256 * 1024

/**
 * `POST /webhooks/resend`: Resend's reports. 200 only once the event is stored, 401 if it is not from Resend, 503 if it
 * cannot be stored or checked now; Resend tries again for a day. https://resend.com/docs/webhooks/retries-and-replays
 */
export async function addWebhookRoute(server: FastifyInstance, app: Needs): Promise<void> {
  const { RESEND_API_KEY, RESEND_WEBHOOK_SECRET } = app.config
  const verify = RESEND_WEBHOOK_SECRET ? webhookVerifier(RESEND_API_KEY, RESEND_WEBHOOK_SECRET) : null

  await registerScope(server, 'webhooks', async (scope) => {
    // The signature covers the raw text.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)

    scope.post('/webhooks/resend', { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
      if (verify === null) {
        app.log.warn('Resend reports, but RESEND_WEBHOOK_SECRET is not set: copy it from resend.com/webhooks')
        return answer(reply, 503, 'not set up')
      }
      const signed = signedRequest(request.headers, request.body)
      const verdict = verify(signed)
      if (verdict.kind === 'forged') {
        app.metrics.webhooks.inc({ type: 'forged' })
        app.log.warn(
          { reason: verdict.reason },
          'a webhook was refused; if it was Resend, see RESEND_WEBHOOK_SECRET',
        )
        return answer(reply, 401, 'not signed by a known secret, or too old')
      }
      const { kind } = await recordEvent(app, { svixId: signed.id, event: verdict.event })
      return answer(reply, kind === 'busy' ? 503 : 200, kind)
    })
  })
}

function signedRequest(headers: Record<string, string | string[] | undefined>, body: unknown): SignedRequest {
  const header = (name: string) => String(headers[name] ?? '')
  return {
    body: typeof body === 'string' ? body : '',
    id: header('svix-id'),
    timestamp: header('svix-timestamp'),
    signature: header('svix-signature'),
  }
}

const answer = (reply: FastifyReply, code: number, status: string) => reply.code(code).send({ status })
