import { type Answer, envelope } from './faults.ts'

/** A sender domain of the account, as Resend reports it. */
export type StandInDomain = {
  name: string
  status: 'pending' | 'verified' | 'failed' | 'temporary_failure' | 'not_started' | 'partially_verified'
  open_tracking: boolean
  click_tracking: boolean
  capabilities: { sending: 'enabled' | 'disabled'; receiving: 'enabled' | 'disabled' }
  /** The status of its MX record, if it is set to receive. */
  receivingRecord?: 'pending' | 'verified' | 'failed' | 'temporary_failure' | 'not_started'
}

/** A domain as it should be; `differs` says what is not. */
export function aDomain(name: string, differs: Partial<StandInDomain> = {}): StandInDomain {
  const capabilities = { sending: 'enabled', receiving: 'disabled' } as const
  return { name, status: 'verified', open_tracking: false, click_tracking: false, capabilities, ...differs }
}

/**
 * Answers `GET /domains` and `GET /domains/:id`; null for any other path.
 * https://resend.com/docs/api-reference/domains/list-domains
 */
export function answerDomains(domains: readonly StandInDomain[], path: string): Answer | null {
  const all = domains.map(asResendTells)
  if (path === '/domains') return json({ object: 'list', has_more: false, data: all })
  const [, id] = /^\/domains\/([^/]+)$/.exec(path) ?? []
  if (id === undefined) return null
  const found = all.find((domain) => domain.id === id)
  return found
    ? json({ object: 'domain', ...found, records: recordsOf(domains[all.indexOf(found)]) })
    : envelope(404, 'not_found', 'Domain not found')
}

/** Of the records only the one that receives, and it only where receiving is enabled. */
function recordsOf(domain: StandInDomain | undefined) {
  if (domain?.capabilities.receiving !== 'enabled') return []
  const { receivingRecord: status = 'verified', name } = domain
  const value = 'inbound-smtp.us-east-1.amazonaws.com'
  return [{ record: 'Receiving', name, value, type: 'MX', ttl: 'Auto', status, priority: 10 }]
}

/** A webhook of the account. `events` null = all of them. */
export type StandInWebhook = { endpoint: string; status: 'enabled' | 'disabled'; events: string[] | null }

/** Answers `GET /webhooks`. https://resend.com/docs/api-reference/webhooks/list-webhooks */
export function answerWebhooks(webhooks: readonly StandInWebhook[]): Answer {
  const data = webhooks.map((webhook, index) => ({
    id: `4dd369bc-aa82-4ff3-97de-${String(index).padStart(12, '0')}`,
    created_at: '2026-01-01 00:00:00.000000+00',
    ...webhook,
  }))
  return json({ object: 'list', has_more: false, data })
}

/** How many emails the account may send. Only the free plan counts by day; null: no limit. */
export type StandInPlan = { daily: number | null; monthly: number }

/** Answers `GET /usage`, as the SDK types it, with what concerns emails. */
export function answerUsage({ daily, monthly }: StandInPlan, used: number): Answer {
  const counts = { used, sent: used, received: 0, resets_at: '2027-01-01T00:00:00.000Z' }
  const emails = { daily: { ...counts, limit: daily }, monthly: { ...counts, limit: monthly } }
  return json({ object: 'usage', emails })
}

const asResendTells = ({ receivingRecord: _, ...domain }: StandInDomain, index: number) => ({
  id: `d91cd9bd-1176-453e-8fc1-${String(index).padStart(12, '0')}`,
  ...domain,
  created_at: '2026-01-01 00:00:00.000000+00',
  region: 'us-east-1',
})

const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) })
