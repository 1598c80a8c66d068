type Settings = Record<string, string | undefined>

/** Domains that belong to nobody (RFC 2606, RFC 6761), and the one that our messages and docs are full of. */
const NOBODYS =
  /(^|\.)(example|test|invalid|localhost|example\.(com|net|org)|your-(practice|domain|company)\.(com|net|org))$/i
/** What `.env.example` and our messages say, now or in an earlier version. */
const OUR_STREET = /12 Quay Street/i
const OUR_PRACTICE = /^harbor groups$/i
const OUR_KEYS = new Set(['re_123', 're_123456789', 're_xxxxxxxxx', 're_demo'])
/** Numbers for stories: https://nationalnanpa.com/number_resource_info/555_numbers.html */
const STORY_PHONE = /555\D?01\d\d\b/

const DOMAINS: readonly [name: string, advice: string][] = [
  ['MAIL_FROM', 'use your own sender, on a domain that is verified at Resend'],
  ['MAIL_REPLY_TO', 'use an address of yours that a person reads, or leave it blank'],
  ['UNSUBSCRIBE_ADDRESS', 'use a domain of yours that receives at Resend, or leave it blank'],
  ['PUBLIC_URL', 'use the address where your readers reach these pages'],
  ['PRACTICE_URL', 'use the address of your own site, or leave it blank'],
]

/**
 * The settings that hold an example instead of the practice's own value, each with what to do. They are as they were written.
 * Real email with someone else's name, street, or links breaks the law, and loses its readers.
 */
export function exampleSettings(settings: Settings): string[] {
  const domains = DOMAINS.flatMap(([name, advice]) => {
    const domain = domainIn(settings[name])
    return NOBODYS.test(domain) ? [`${name} is an example (${domain}); ${advice}`] : []
  })
  return [...domains, ...exampleWords(settings)]
}

function exampleWords(settings: Settings): string[] {
  const problems: string[] = []
  const { RESEND_API_KEY: key = '', POSTAL_ADDRESS: street = '', PRACTICE_PHONE: phone = '' } = settings
  const { BRAND_NAME: brand = '', MAIL_FROM: from = '' } = settings
  if (OUR_KEYS.has(key.trim()))
    problems.push('RESEND_API_KEY is an example; make a key with sending access at resend.com/api-keys')
  if (OUR_STREET.test(street))
    problems.push(
      'POSTAL_ADDRESS is an example; use the street address of your practice, which the law asks for in every email',
    )
  // A practice may well have this name; its domain then has it too.
  const isTheirs = /harbor-?groups/i.test(domainIn(from))
  if (OUR_PRACTICE.test(brand.trim()) && !isTheirs)
    problems.push('BRAND_NAME is an example; use the name of your practice')
  if (OUR_PRACTICE.test(nameIn(from)) && !isTheirs && !NOBODYS.test(domainIn(from)))
    problems.push('MAIL_FROM has an example as its name; use the name of your practice')
  if (STORY_PHONE.test(phone))
    problems.push('PRACTICE_PHONE is an example; use the number of your practice, or leave it blank')
  return problems
}

/** The domain of an email address or mailbox, or of a web address; '' if there is none. */
function domainIn(value = ''): string {
  if (/^https?:/i.test(value.trim())) return URL.parse(value)?.hostname ?? ''
  return /@([^\s<>@]+?)\.?>?\s*$/.exec(value)?.[1] ?? ''
}

const nameIn = (mailbox: string): string =>
  /^(.*)<[^<>]*>\s*$/.exec(mailbox)?.[1]?.replaceAll('"', '').trim() ?? ''
