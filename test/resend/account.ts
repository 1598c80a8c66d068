import type { SendRules } from './contract.ts'
import type { StandInDomain, StandInPlan, StandInWebhook } from './domains.ts'
import type { Answer, Exchange, Faults } from './faults.ts'
import type { IdempotencyStore } from './idempotency.ts'
import type { RateLimit } from './rate-limit.ts'

/** One email the stand-in accepted. `at` is in ms since the epoch; `index` is its place in the request. */
export type AcceptedEmail = {
  id: string
  key: string | null
  index: number
  at: number
  from: string
  to: string[]
  replyTo: string[]
  subject: string
  html: string
  text: string
  headers: Record<string, string>
  tags: { name: string; value: string }[]
}

/** `status` is null until the request is answered, and stays null if the connection was cut. */
export type SeenRequest = { method: string; path: string; key: string | null; status: number | null }

/** The state of one stand-in. */
export type Account = {
  apiKey: string
  rules: SendRules
  domains: StandInDomain[]
  webhooks: StandInWebhook[]
  plan: StandInPlan
  /** The API key may only send. */
  sendingOnly: boolean
  keepBodies: boolean
  ignoreKeys: boolean
  now: () => number
  accepted: AcceptedEmail[]
  counts: Map<string, number>
  requests: SeenRequest[]
  faults: Faults
  answers: IdempotencyStore<Answer>
  limit: RateLimit
  later: Exchange['later']
}
