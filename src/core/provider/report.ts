import { z } from 'zod'
import { normalizeEmail } from '../intake/email-address.ts'
import { type HashKey, hashEmail } from '../tokens.ts'

/** What the provider can report about an email. */
export type Report = 'sent' | 'delayed' | 'delivered' | 'bounced' | 'complained' | 'suppressed' | 'failed'

/** How far an email got. `soft`: a bounce that is temporary or has no known reason. `at` in ms UTC. */
export type DeliveryReport = { report: Report; soft: boolean; at: number }

/** A provider event, reduced to what we need: no address, subject, link, IP, or user agent. */
export type ProviderEvent = {
  /** The provider's name for it; `unreadable` if it is not an event. */
  type: string
  /** When it happened, ms UTC. */
  at: number
  /** Null for events that are only counted by their type. */
  mail: MailReport | null
}

/** What an event says about one email. Any such event proves that the provider accepted the email. */
export type MailReport = {
  /** Null: accepted, nothing more is known. */
  report: Report | null
  soft: boolean
  /** The provider's code, for people to read: `permanent/General`, `reached_daily_quota`. */
  detail: string | null
  providerId: string | null
  deliveryTag: string | null
  /** Keyed hashes of the recipients' addresses. */
  emailHashes: string[]
}

/** The detail of a permanent bounce starts with this. */
export const PERMANENT = 'permanent'
/** This many editions in a row that bounced softly suppress an address. */
export const SOFT_BOUNCES_ALLOWED = 4

/**
 * Reads the body of a verified webhook. Never throws: an unknown event keeps its type, and anything else becomes
 * `unreadable`. Without a readable time, the event gets `receivedAt`.
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

/** The type of an event for metrics: its own name if we know it, else `unreadable` or `other`. */
export function nameOfReport(type: string): string {
  return type in REPORTS || type === 'email.received' || type === 'unreadable' ? type : 'other'
}

/**
 * The further of two reports, in whatever order they arrived: events can be out of order or repeated. A delivery outranks a
 * soft bounce, because automatic vacation replies are reported as soft bounces.
 * https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
 */
export function furthest(a: DeliveryReport | null, b: DeliveryReport): DeliveryReport {
  if (a === null) return b
  const ahead = rank(b) - rank(a) || b.at - a.at
  return ahead > 0 ? b : a
}

/** Why an address must not be emailed again after this report; null if it may be. */
export function suppressionFor({
  report,
  soft,
}: Pick<MailReport, 'report' | 'soft'>): 'bounce' | 'complaint' | 'provider' | null {
  if (report === 'complained') return 'complaint'
  if (report === 'suppressed') return 'provider'
  return report === 'bounced' && !soft ? 'bounce' : null
}

/**
 * How many of a reader's latest editions bounced in a row, ignoring those without a known outcome. `deliveries` are all of
 * one reader, newest edition and generation first. An edition counts once, by its newest generation with an outcome.
 */
export function bouncesInARow(deliveries: readonly { editionId: string; report: Report | null }[]): number {
  const outcomes = new Map<string, Report>()
  for (const { editionId, report } of deliveries)
    if (report !== null && OUTCOMES.has(report) && !outcomes.has(editionId)) outcomes.set(editionId, report)
  const newestFirst = [...outcomes.values()]
  const end = newestFirst.findIndex((report) => report !== 'bounced')
  return end === -1 ? newestFirst.length : end
}

// Of all other events we keep only the type. We do not want to know who opened or clicked what.
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

// Their free texts contain addresses; their codes do not.
const code = z.string().regex(/^[\w-]{1,60}$/)

const Mail = z.object({
  email_id: code.nullable().catch(null),
  to: z.array(z.string()).catch([]),
  // An object here, although emails are submitted with a list.
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
