import { Resend } from 'resend'
import { withoutAddresses } from '../core/text/redact.ts'
import { allowanceUnread, checkAllowance } from './allowance.ts'
import type { Check } from './check.ts'

type Account = {
  apiKey: string
  baseUrl?: string | undefined
  from: string
  /** Where replies go. */
  replyTo?: string | undefined
  now: Date
  /** How many people an edition may go to; null if that is not known. */
  readers?: number | null
  unsubscribing?: Unsubscribing | null
}
/** Where emails to unsubscribe go, where Resend should report them, and when one last came. */
type Unsubscribing = { address: string; endpoint: string; lastAt: Date | null }
type Domains = {
  name: string
  id: string
  status: string
  capabilities?: { sending?: string; receiving?: string }
}[]

const MINUTE_MS = 60_000

/**
 * Asks Resend whether the key works, the domain of `from` is verified, tracking is off, and the plan large enough, and what time
 * it is. Reads only, and sends no email. Never throws: what cannot be found out is a check too.
 */
export async function checkMail(account: Account): Promise<Check[]> {
  const { apiKey, baseUrl, from, now, unsubscribing, readers = null } = account
  const resend = new Resend(apiKey, baseUrl ? { baseUrl } : {})
  const domain = domainOf(from)
  if (domain === 'resend.dev')
    return [
      {
        name: 'mail from',
        status: 'warn',
        detail: 'resend.dev sends only to your own address',
        fix: 'Add a domain at resend.com/domains and use it in MAIL_FROM.',
      },
    ]

  const list = await resend.domains.list({ limit: 100 })
  const clock = clockAgainst(list.headers?.date, now)
  if (list.error) {
    const isSendingOnly = list.error.name === 'restricted_api_key'
    const plan = isSendingOnly && readers !== null ? allowanceUnread(readers, list.headers) : []
    const answers = unreadAnswers(account, [])
    return [keyProblem(list.error, domain), ...plan, ...unseen(unsubscribing), ...answers, ...clock]
  }
  const key: Check = { name: 'Resend key', status: 'ok', detail: 'Resend accepts it' }
  const known = list.data.data as Domains
  const own = known.find(({ name }) => name.toLowerCase() === domain)
  const plan = readers === null ? [] : await checkAllowance(resend, readers, list.headers)
  const receiving = [
    ...(unsubscribing ? [await checkReceiving(resend, known, unsubscribing)] : []),
    ...unreadAnswers(account, known),
  ]
  if (!own) return [key, missing(domain, list.data.has_more), ...plan, ...receiving, ...clock]
  const domainChecks = [verification(domain, own), await tracking(resend, own.id, domain)]
  return [key, ...domainChecks, ...plan, ...receiving, ...clock]
}

const domainOf = (mailbox: string): string => /@([^\s<>@]+?)>?\s*$/.exec(mailbox)?.[1]?.toLowerCase() ?? ''

/** Replies must go to a person's inbox: no one reads what arrives at Resend, and it is not forwarded. */
function unreadAnswers({ from, replyTo, unsubscribing }: Account, known: Domains): Check[] {
  const domain = domainOf(replyTo ?? from)
  const receives = known.some(
    ({ name, capabilities }) => name.toLowerCase() === domain && capabilities?.receiving === 'enabled',
  )
  const is = receives || domain === domainOf(unsubscribing?.address ?? '') || domain.endsWith('.resend.app')
  if (!is) return []
  return [
    {
      name: 'answers',
      status: 'warn',
      detail: `${domain} receives at Resend, so readers’ answers land there and in nobody’s inbox`,
      fix: 'Set MAIL_REPLY_TO to an address that a person reads, or receive at a subdomain only for UNSUBSCRIBE_ADDRESS.',
    },
  ]
}

type Refusal = { name?: string; message: string; statusCode: number | null }

// Use a key that can only send. It cannot read anything. https://resend.com/docs/dashboard/api-keys/introduction
function keyProblem({ name, message, statusCode }: Refusal, domain: string): Check {
  const check = 'Resend key'
  if (name === 'restricted_api_key' && statusCode === 401)
    return {
      name: check,
      status: 'ok',
      detail: `may only send, as it should; so the domain cannot be checked from here: see at resend.com/domains that ${domain} is verified, and open and click tracking are off`,
    }
  const detail = withoutAddresses(`${statusCode ?? 'no answer'}: ${message}`)
  if (statusCode === null)
    return {
      name: check,
      status: 'fail',
      detail,
      fix: 'Let this machine reach https://api.resend.com, port 443.',
    }
  if (statusCode === 429 || statusCode >= 500)
    return {
      name: check,
      status: 'warn',
      detail,
      fix: 'Resend is busy or in trouble; try again in a minute.',
    }
  return {
    name: check,
    status: 'fail',
    detail,
    fix: 'Make a key with sending access at resend.com/api-keys and put it in RESEND_API_KEY.',
  }
}

function missing(domain: string, moreDomains: boolean): Check {
  const name = 'mail domain'
  if (moreDomains)
    return {
      name,
      status: 'warn',
      detail: `${domain} is not among the first 100 domains of the account`,
      fix: `See at resend.com/domains that ${domain} is verified.`,
    }
  return {
    name,
    status: 'fail',
    detail: `${domain}, of MAIL_FROM, is not in this Resend account`,
    fix: `Add ${domain} at resend.com/domains, or change MAIL_FROM.`,
  }
}

function verification(domain: string, { status, capabilities }: Domains[number]): Check {
  const name = 'mail domain'
  if (capabilities?.sending === 'disabled')
    return {
      name,
      status: 'fail',
      detail: `${domain} may not be sent from`,
      fix: `Enable sending for ${domain} at resend.com/domains.`,
    }
  if (status === 'verified') return { name, status: 'ok', detail: `${domain} is verified` }
  const fix = `Set the DNS records that resend.com/domains shows for ${domain}, and wait until it says verified.`
  return { name, status: 'fail', detail: `${domain} is ${status.replaceAll('_', ' ')}`, fix }
}

// Tracking lets third parties see who reads emails about therapy, and rewrites links.
async function tracking(resend: Resend, id: string, domain: string): Promise<Check> {
  const name = 'tracking'
  const { data, error } = await resend.domains.get(id)
  if (error) {
    const fix = `See at resend.com/domains, under ${domain}, that open and click tracking are off.`
    return { name, status: 'warn', detail: `could not be read (${error.statusCode ?? 'no answer'})`, fix }
  }
  const on = [...(data.open_tracking ? ['open'] : []), ...(data.click_tracking ? ['click'] : [])]
  if (on.length === 0) return { name, status: 'ok', detail: 'open and click tracking are off' }
  const fix = `Switch it off at resend.com/domains, under ${domain}: who opens these emails is health information.`
  return { name, status: 'fail', detail: `${on.join(' and ')} tracking is on`, fix }
}

const RECEIVING = 'unsubscribe address'

/** Whether an email to UNSUBSCRIBE_ADDRESS reaches us: its domain receives at Resend, and Resend reports it here. */
async function checkReceiving(
  resend: Resend,
  known: Domains,
  { address, endpoint }: Unsubscribing,
): Promise<Check> {
  const name = RECEIVING
  const domain = address.split('@')[1] ?? ''
  const own = known.find((one) => one.name.toLowerCase() === domain)
  // Every Resend account has a receiving name under resend.app, which is in no list.
  if (!own && !domain.endsWith('.resend.app')) {
    const fix = `Add ${domain} at resend.com/domains and enable receiving, or leave UNSUBSCRIBE_ADDRESS unset.`
    return { name, status: 'fail', detail: `${domain} is not in this Resend account`, fix }
  }
  const problem = own && (await problemOfReceiving(resend, own, domain))
  if (problem) return problem
  const { data, error } = await resend.webhooks.list({ limit: 100 })
  if (error) {
    const fix = `See at resend.com/webhooks that email.received goes to ${endpoint}.`
    return {
      name,
      status: 'warn',
      detail: `the webhooks could not be read (${error.statusCode ?? 'no answer'})`,
      fix,
    }
  }
  const reported = data.data.some(
    (hook) =>
      hook.endpoint === endpoint &&
      hook.status === 'enabled' &&
      (hook.events?.includes('email.received') ?? true),
  )
  if (reported)
    return { name, status: 'ok', detail: `${domain} receives at Resend, and email.received is reported here` }
  const fix = `At resend.com/webhooks add the event email.received to ${endpoint}.`
  return { name, status: 'fail', detail: 'Resend does not report email.received here', fix }
}

async function problemOfReceiving(
  resend: Resend,
  own: Domains[number],
  domain: string,
): Promise<Check | null> {
  const fail = (detail: string, fix: string): Check => ({ name: RECEIVING, status: 'fail', detail, fix })
  if (own.capabilities?.receiving !== 'enabled')
    return fail(`${domain} does not receive`, `Enable receiving for ${domain} at resend.com/domains.`)
  const { data } = await resend.domains.get(own.id)
  const record = data?.records.find((one) => one.record === 'Receiving')
  if (record?.status === 'verified') return null
  const state = record?.status.replaceAll('_', ' ') ?? 'missing'
  return fail(
    `the MX record of ${domain} is ${state}`,
    `Set the MX record that resend.com/domains shows for ${domain}, with the lowest priority there.`,
  )
}

// A key that can only send cannot read settings, and a received email is better proof anyway.
function unseen(unsubscribing: Unsubscribing | null | undefined): Check[] {
  if (!unsubscribing) return []
  const { address, endpoint, lastAt } = unsubscribing
  if (lastAt)
    return [
      {
        name: RECEIVING,
        status: 'ok',
        detail: `email arrives; the last on ${lastAt.toISOString().slice(0, 10)}`,
      },
    ]
  const domain = address.split('@')[1]
  const fix = `See at resend.com/domains that ${domain} receives and at resend.com/webhooks that email.received goes to ${endpoint}, then send an email to UNSUBSCRIBE_ADDRESS and run doctor again.`
  return [{ name: RECEIVING, status: 'warn', detail: 'no email has arrived at it yet', fix }]
}

// This clock decides what is due, how old a key is, and whether a webhook is genuine.
function clockAgainst(date: string | undefined, now: Date): Check[] {
  const name = 'clock'
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return []
  const off = now.getTime() - theirs
  if (Math.abs(off) < MINUTE_MS) return [{ name, status: 'ok', detail: 'agrees with Resend' }]
  const minutes = Math.round(Math.abs(off) / MINUTE_MS)
  const detail = `${minutes} minute${minutes === 1 ? '' : 's'} ${off > 0 ? 'ahead of' : 'behind'} Resend`
  const fix = 'Let the machine set its clock from the network: sudo timedatectl set-ntp true'
  return [{ name, status: Math.abs(off) < 4 * MINUTE_MS ? 'warn' : 'fail', detail, fix }]
}
