import { Resend } from 'resend'
import { withoutAddresses } from './core/redact.ts'

/** One thing that was looked at. `mend` says what to do about it; there is none when all is well. */
export type Check = { name: string; status: 'ok' | 'warn' | 'fail'; detail: string; mend?: string }

type Account = { apiKey: string; baseUrl?: string | undefined; from: string; now: Date }
type Domains = { name: string; id: string; status: string; capabilities?: { sending?: string } }[]

const MINUTE_MS = 60_000

/**
 * Asks Resend whether the key works, whether the domain of `from` may be sent from, whether tracking is off, and what
 * time it is. It reads only; no mail is sent. Never throws: what cannot be found out is a check, too.
 */
export async function checkMail({ apiKey, baseUrl, from, now }: Account): Promise<Check[]> {
  const resend = new Resend(apiKey, baseUrl ? { baseUrl } : {})
  const domain = /@([^\s<>@]+?)>?$/.exec(from)?.[1]?.toLowerCase() ?? ''
  if (domain === 'resend.dev')
    return [
      {
        name: 'mail from',
        status: 'warn',
        detail: 'resend.dev mails only your own address',
        mend: 'Add a domain at resend.com/domains and use it in MAIL_FROM.',
      },
    ]

  const list = await resend.domains.list({ limit: 100 })
  const clock = clockAgainst(list.headers?.date, now)
  if (list.error) return [keyProblem(list.error, domain), ...clock]
  const key: Check = { name: 'Resend key', status: 'ok', detail: 'Resend accepts it' }
  const known = list.data.data as Domains
  const own = known.find(({ name }) => name.toLowerCase() === domain)
  if (!own) return [key, missing(domain, list.data.has_more), ...clock]
  return [key, verification(domain, own), await tracking(resend, own.id, domain), ...clock]
}

type Refusal = { name?: string; message: string; statusCode: number | null }

// The key that only sends is the one to use, and it may not read anything. https://resend.com/docs/dashboard/api-keys/introduction
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
      mend: 'Let this machine reach https://api.resend.com, port 443.',
    }
  if (statusCode === 429 || statusCode >= 500)
    return {
      name: check,
      status: 'warn',
      detail,
      mend: 'Resend is busy or in trouble; try again in a minute.',
    }
  return {
    name: check,
    status: 'fail',
    detail,
    mend: 'Make a key with sending access at resend.com/api-keys and put it in RESEND_API_KEY.',
  }
}

function missing(domain: string, moreDomains: boolean): Check {
  const name = 'mail domain'
  if (moreDomains)
    return {
      name,
      status: 'warn',
      detail: `${domain} is not among the first 100 domains of the account`,
      mend: `See at resend.com/domains that ${domain} is verified.`,
    }
  return {
    name,
    status: 'fail',
    detail: `${domain}, of MAIL_FROM, is not in this Resend account`,
    mend: `Add ${domain} at resend.com/domains, or change MAIL_FROM.`,
  }
}

function verification(domain: string, { status, capabilities }: Domains[number]): Check {
  const name = 'mail domain'
  if (capabilities?.sending === 'disabled')
    return {
      name,
      status: 'fail',
      detail: `${domain} may not be sent from`,
      mend: `Enable sending for ${domain} at resend.com/domains.`,
    }
  if (status === 'verified') return { name, status: 'ok', detail: `${domain} is verified` }
  const mend = `Set the DNS records that resend.com/domains shows for ${domain}, and wait until it says verified.`
  return { name, status: 'fail', detail: `${domain} is ${status.replaceAll('_', ' ')}`, mend }
}

// Tracking tells third parties who reads mail about therapy, and rewrites links.
async function tracking(resend: Resend, id: string, domain: string): Promise<Check> {
  const name = 'tracking'
  const { data, error } = await resend.domains.get(id)
  if (error) {
    const mend = `See at resend.com/domains, under ${domain}, that open and click tracking are off.`
    return { name, status: 'warn', detail: `could not be read (${error.statusCode ?? 'no answer'})`, mend }
  }
  const on = [...(data.open_tracking ? ['open'] : []), ...(data.click_tracking ? ['click'] : [])]
  if (on.length === 0) return { name, status: 'ok', detail: 'open and click tracking are off' }
  const mend = `Switch it off at resend.com/domains, under ${domain}: who reads this mail is health information.`
  return { name, status: 'fail', detail: `${on.join(' and ')} tracking is on`, mend }
}

// What is due, how old a key is and whether a webhook is genuine are all told by this clock.
function clockAgainst(date: string | undefined, now: Date): Check[] {
  const name = 'clock'
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return []
  const off = now.getTime() - theirs
  if (Math.abs(off) < MINUTE_MS) return [{ name, status: 'ok', detail: 'agrees with Resend' }]
  const minutes = Math.round(Math.abs(off) / MINUTE_MS)
  const detail = `${minutes} minute${minutes === 1 ? '' : 's'} ${off > 0 ? 'ahead of' : 'behind'} Resend`
  const mend = 'Let the machine set its clock from the network: sudo timedatectl set-ntp true'
  return [{ name, status: Math.abs(off) < 4 * MINUTE_MS ? 'warn' : 'fail', detail, mend }]
}
