import { z } from 'zod'
import { normalizeEmail } from '../intake/email-address.ts'
import { type HashKey, hashEmail } from '../tokens.ts'

/** What the provider can report of a mail. */
export type Report = 'sent' | 'delayed' | 'delivered' | 'bounced' | 'complained' | 'suppressed' | 'failed'

/** How far a mail got. `soft`: a bounce for a passing or unknown reason. `at` in ms UTC. */
export type DeliveryReport = { report: Report; soft: boolean; at: number }

/** An event of the provider, reduced to what is needed: no address, subject, link, IP or user agent. */
export type ProviderEvent = {
  /** As the provider names it; `unreadable` when it is nothing we understand. */
  type: string
  /** When it happened, ms UTC. */
  at: number
  /** Null for events that are only counted by their type. */
  mail: MailReport | null
}

/** What an event says of one mail. Any such event proves that the provider accepted the mail. */
export type MailReport = {
  /** Null: accepted, and nothing more is known. */
  report: Report | null
  soft: boolean
  /** A code of the provider, for a person: `permanent/General`, `reached_daily_quota`. */
  detail: string | null
  providerId: string | null
  deliveryTag: string | null
  /** Keyed hashes of the addresses it concerns. */
  emailHashes: string[]
}

/** Begins the detail of a bounce that will not pass. */
export const PERMANENT = 'permanent'
/** This many editions in a row that bounced softly suppress an address. */
export const SOFT_BOUNCES_ALLOWED = 4

/**
 * Reads the body of a verified webhook. Never throws: an event we do not know keeps its type, and what is not an event
 * at all becomes `unreadable`. `receivedAt` stands in for a time that cannot be read.
 * https://resend.com/docs/webhooks/event-types
 */
export function readProviderEvent(event: unknown, hashKey: HashKey, receivedAt: Date): ProviderEvent {
  const envelope = Envelope.safeParse(event)
  if (!envelope.success) return { type: 'unreadable', at: receivedAt.getTime(), mail: null }
  const { type, created_at, data } = envelope.data
  const at = Date.parse(created_at)
  const read = Mail.safeParse(data)
  return {
    type,
    at: Number.isNaN(at) ? receivedAt.getTime() : at,
    mail: type in REPORTS && read.success ? reduce(REPORTS[type] ?? null, read.data, hashKey) : null,
  }
}

/** The type of an event as one of a few names: its own where we know it, `unreadable` or `other`. */
export function nameOfReport(type: string): string {
  return type in REPORTS || type === 'email.received' || type === 'unreadable' ? type : 'other'
}

/**
 * The further of two reports, whichever came first: events arrive unordered and more than once. A soft bounce counts
 * less than a delivery, since automatic answers of readers on holiday are reported as such.
 * https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
 */
export function furthest(a: DeliveryReport | null, b: DeliveryReport): DeliveryReport {
  if (a === null) return b
  const ahead = rank(b) - rank(a) || b.at - a.at
  return ahead > 0 ? b : a
}

/** Why the address may never be mailed again, after this report of a mail to it; null = it may. */
export function suppressionFor({
  report,
  soft,
}: Pick<MailReport, 'report' | 'soft'>): 'bounce' | 'complaint' | 'provider' | null {
  if (report === 'complained') return 'complaint'
  if (report === 'suppressed') return 'provider'
  return report === 'bounced' && !soft ? 'bounce' : null
}

/**
 * How many editions in a row bounced, up to the newest of which the outcome is known. `deliveries` are one reader's,
 * newest edition and generation first; an edition counts once, by its newest generation with an outcome.
 */
export function bouncesInARow(deliveries: readonly { editionId: string; report: Report | null }[]): number {
  const outcomes = new Map<string, Report>()
  for (const { editionId, report } of deliveries)
    if (report !== null && OUTCOMES.has(report) && !outcomes.has(editionId)) outcomes.set(editionId, report)
  const newestFirst = [...outcomes.values()]
  const end = newestFirst.findIndex((report) => report !== 'bounced')
  return end === -1 ? newestFirst.length : end
}

// What else they send is kept by type alone: who opened or clicked what is nobody's business here.
const REPORTS: Record<string, Report | null> = {
  'email.scheduled': null,
  'email.sent': 'sent',
  'email.delivery_delayed': 'delayed',
  'email.delivered': 'delivered',
  'email.failed': 'failed',
  'email.bounced': 'bounced',
  'email.suppressed': 'suppressed',
  'email.complained': 'complained',
}

const ORDER = ['sent', 'delayed', 'soft', 'delivered', 'failed', 'bounced', 'suppressed', 'complained']
const OUTCOMES: ReadonlySet<Report> = new Set<Report>(['delivered', 'bounced', 'complained'])

const rank = ({ report, soft }: DeliveryReport): number => ORDER.indexOf(soft ? 'soft' : report)

const Envelope = z.object({
  type: z.string().regex(/^[a-z_]{1,30}(\.[a-z_]{1,30}){1,2}$/),
  created_at: z.string().catch(''),
  data: z.unknown(),
})

// Their free texts hold addresses, their codes do not.
const code = z.string().regex(/^[\w-]{1,60}$/)

const Mail = z.object({
  email_id: code.nullable().catch(null),
  to: z.array(z.string()).catch([]),
  // An object here, though mails are submitted with a list.
  tags: z.object({ delivery: z.string().nullable().catch(null) }).catch({ delivery: null }),
  bounce: z
    .object({ type: code.catch('Undetermined'), subType: code.catch('') })
    .optional()
    .catch(undefined),
  failed: z.object({ reason: code }).optional().catch(undefined),
  suppressed: z.object({ type: code }).optional().catch(undefined),
})

function reduce(report: Report | null, mail: z.infer<typeof Mail>, hashKey: HashKey): MailReport {
  const { bounce, failed, suppressed } = mail
  const bounceKind = (bounce?.type ?? 'Undetermined').toLowerCase()
  const bounceCode = [bounceKind, bounce?.subType].filter(Boolean).join('/')
  return {
    report,
    soft: report === 'bounced' && bounceKind !== PERMANENT,
    detail: report === 'bounced' ? bounceCode : (failed?.reason ?? suppressed?.type ?? null),
    providerId: mail.email_id,
    deliveryTag: mail.tags.delivery,
    emailHashes: mail.to.flatMap((address) => {
      const normal = normalizeEmail(address)
      return 'email' in normal ? [hashEmail(hashKey, normal.email)] : []
    }),
  }
}
