import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { preheaderOf } from '../../core/mail/as-shown.ts'
import type { WireEmail } from './wire.ts'

/** An email that arrived. `headers` are those that the sender set. */
export type KeptEmail = {
  id: string
  at: Date
  from: string
  to: string[]
  replyTo: string[]
  subject: string
  preheader: string
  html: string
  text: string
  headers: Record<string, string>
}

export type Mailbox = ReturnType<typeof openMailbox>

type Remembered<Answer> = { body: unknown; at: number; answer: Answer }

/** A demo can run for days, and anyone can ask for more emails. */
const MOST_EMAILS = 5_000
const KEY_KEPT_MS = 24 * 3_600_000

/** The emails that arrived, in memory. `onEmail` is told of each. */
export function openMailbox(now: () => Date, onEmail: (email: KeptEmail) => void = () => {}) {
  const byId = new Map<string, KeptEmail>()
  return {
    keep(email: WireEmail): KeptEmail {
      const { from, subject, html, text, headers } = email
      const [to, replyTo] = [listOf(email.to), listOf(email.reply_to)]
      const preheader = asText(preheaderOf(html))
      const kept = { id: randomUUID(), at: now(), from, to, replyTo, subject, preheader, html, text, headers }
      byId.set(kept.id, kept)
      for (const id of byId.keys()) {
        if (byId.size <= MOST_EMAILS) break
        byId.delete(id)
      }
      onEmail(kept)
      return kept
    },
    find: (id: string): KeptEmail | null => byId.get(id) ?? null,
    /** Newest first. */
    all: (): KeptEmail[] => [...byId.values()].toReversed(),
    size: (): number => byId.size,
  }
}

/** What a key was used for: nothing yet, the same request, whose answer is repeated, or another one. */
export type KeyUse<Answer> = { kind: 'new' } | { kind: 'repeated'; answer: Answer } | { kind: 'changed' }

/** Remembers for 24 hours what was answered under an idempotency key. https://resend.com/docs/dashboard/emails/idempotency-keys */
export function rememberKeys<Answer>(now: () => Date) {
  const known = new Map<string, Remembered<Answer>>()
  return {
    /** `key` with the endpoint, which is part of it. */
    lookUp(key: string, body: unknown): KeyUse<Answer> {
      const used = known.get(key)
      if (!used || now().getTime() - used.at >= KEY_KEPT_MS) return { kind: 'new' }
      return isDeepStrictEqual(used.body, body)
        ? { kind: 'repeated', answer: used.answer }
        : { kind: 'changed' }
    },
    remember(key: string, body: unknown, answer: Answer): void {
      const at = now().getTime()
      for (const [old, used] of known) if (at - used.at >= KEY_KEPT_MS) known.delete(old)
      known.set(key, { body, at, answer })
    },
  }
}

const listOf = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat())

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#39': "'" }

/** The text of simple HTML without tags. */
const asText = (html: string): string =>
  html.replace(
    /&(amp|lt|gt|quot|#x27|#39);/gi,
    (entity, name: string) => ENTITIES[name.toLowerCase()] ?? entity,
  )
