import { createHash, type Hash } from 'node:crypto'

export type Claim<Answer> =
  | {
      kind: 'first'
      /** Stores the answer under the key; null (nothing was done) frees the key. */
      settle: (answer: Answer | null) => void
    }
  | { kind: 'replay'; answer: Answer }
  | { kind: 'in-flight' }
  | { kind: 'different-body' }

export type IdempotencyStore<Answer> = {
  /** `scope` is method, path, and key. Call once per request, and settle a `first` claim. */
  claim: (scope: string, body: unknown, nowMs: number) => Claim<Answer>
}

const KEPT_MS = 24 * 60 * 60 * 1000

/**
 * Remembers answers by idempotency key for 24 hours, in memory.
 * Two bodies are the same if their JSON is equal; the order of fields does not matter.
 * https://resend.com/docs/dashboard/emails/idempotency-keys
 */
export function idempotencyStore<Answer>(): IdempotencyStore<Answer> {
  const entries = new Map<string, { fingerprint: string; at: number; answer: Answer | null }>()
  return {
    claim(scope, body, nowMs) {
      const known = entries.get(scope)
      if (known && !known.answer) return { kind: 'in-flight' }
      const fingerprint = fingerprintOf(body)
      if (known?.answer && nowMs - known.at < KEPT_MS) {
        return known.fingerprint === fingerprint
          ? { kind: 'replay', answer: known.answer }
          : { kind: 'different-body' }
      }
      entries.set(scope, { fingerprint, at: nowMs, answer: null })
      const settle = (answer: Answer | null) => {
        if (answer) entries.set(scope, { fingerprint, at: nowMs, answer })
        else entries.delete(scope)
      }
      return { kind: 'first', settle }
    },
  }
}

function fingerprintOf(body: unknown): string {
  const hash = createHash('sha256')
  feed(hash, body)
  return hash.digest('base64')
}

// Feeds the parts one by one: building a canonical copy of a 4 MB batch first would double the cost.
function feed(hash: Hash, value: unknown): void {
  if (Array.isArray(value)) {
    hash.update(`[${value.length}`)
    for (const item of value) feed(hash, item)
  } else if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).sort()
    hash.update(`{${keys.length}`)
    for (const key of keys) {
      feed(hash, key)
      feed(hash, (value as Record<string, unknown>)[key])
    }
  } else if (typeof value === 'string') hash.update(`"${value.length}:`).update(value)
  else hash.update(`${String(value)};`)
}
