import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { KeptEmail } from './mailbox.ts'

const TRIES = 3
const RETRY_MS = 1_000
const PATIENCE_MS = 5_000

export type Reporter = { report(email: KeptEmail): void; close(): Promise<void> }

/**
 * Reports each email as delivered to `endpoint`, one after the other, signed as Resend signs its webhooks.
 * https://resend.com/docs/webhooks/verify-webhooks-requests
 */
export function openReporter(endpoint: string, secret: string, now: () => Date): Reporter {
  const stop = new AbortController()
  let last = Promise.resolve()
  const post = async (email: KeptEmail): Promise<void> => {
    for (let tries = 0; tries < TRIES && !stop.signal.aborted; tries += 1) {
      const { body, headers } = signed(deliveredEvent(email, now()), secret, now())
      const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)])
      const taken = await fetch(endpoint, { method: 'POST', body, headers, signal }).then(
        ({ ok }) => ok,
        () => false,
      )
      if (taken) return
      await wait(RETRY_MS, null, { signal: stop.signal }).catch(() => {})
    }
  }
  return {
    report(email) {
      last = last.then(() => post(email))
    },
    async close() {
      stop.abort()
      await last
    },
  }
}

function deliveredEvent({ id, at, from, to, subject }: KeptEmail, now: Date) {
  return {
    type: 'email.delivered',
    created_at: now.toISOString(),
    data: {
      created_at: at.toISOString().replace('Z', '000+00:00'),
      email_id: id,
      message_id: `<${id}@inbox.test>`,
      from,
      to,
      subject,
    },
  }
}

function signed(event: object, secret: string, now: Date) {
  const [id, timestamp] = [`msg_${randomUUID()}`, String(Math.floor(now.getTime() / 1000))]
  const body = JSON.stringify(event)
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  const headers = {
    'content-type': 'application/json',
    'svix-id': id,
    'svix-timestamp': timestamp,
    'svix-signature': `v1,${signature}`,
  }
  return { body, headers }
}
