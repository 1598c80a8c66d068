import { domainToASCII } from 'node:url'
import { withoutInvisible } from '../text/invisible.ts'

/**
 * Returns an address in the one form that we store and compare: no invisible characters, lower case, the domain in ASCII
 * (`xn--…`). Refuses what Resend or the next server would refuse. `problem` says what to do and never repeats the address;
 * `fault` is its code, for pages to translate. RFC 5321 §4.5.3.1 (lengths), RFC 5322 §3.2.3 (dot-atom), RFC 5890
 * (international domains).
 */
export function normalizeEmail(text: string): { email: string } | { problem: string; fault: AddressError } {
  const read = addressIn(withoutInvisible(text))
  return 'fault' in read ? { problem: PROBLEMS[read.fault], fault: read.fault } : read
}

export type AddressError = keyof typeof PROBLEMS

const LONGEST_ADDRESS = 254
const LONGEST_LOCAL_PART = 64

const PROBLEMS = {
  missing: 'is missing; write an address like name@practice.org',
  long: `is longer than ${LONGEST_ADDRESS} characters; check it`,
  name: 'has angle brackets; write only the address, without a name',
  space: 'has a space or control character in it; remove it',
  several: 'has more than one @; write one address per row',
  none: 'is not an address; write it like name@practice.org',
  domain: 'has a domain that cannot exist; check the part after the @',
  'long-local': `has more than ${LONGEST_LOCAL_PART} characters before the @; check it`,
  letters: 'has letters outside a-z before the @, which the email provider refuses; ask for another address',
  local: 'has a character or dot that is not allowed before the @; check it',
} as const

function addressIn(trimmed: string): { email: string } | { fault: AddressError } {
  if (trimmed === '') return { fault: 'missing' }
  if (trimmed.length > LONGEST_ADDRESS) return { fault: 'long' }
  if (/[<>]/.test(trimmed)) return { fault: 'name' }
  if (/[\s\p{Cc}]/u.test(trimmed)) return { fault: 'space' }
  const [typed = '', domain = '', ...more] = trimmed.split('@')
  if (more.length > 0) return { fault: 'several' }
  const local = typed.replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  if (local === '' || domain === '') return { fault: 'none' }

  const fault = localPartError(local)
  if (fault) return { fault }
  const ascii = asciiDomain(domain)
  if (ascii === null) return { fault: 'domain' }
  const email = `${local.toLowerCase()}@${ascii}`
  return email.length > LONGEST_ADDRESS ? { fault: 'long' } : { email }
}

const dotAtom = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

function localPartError(local: string): AddressError | null {
  if (local.length > LONGEST_LOCAL_PART) return 'long-local'
  if (/[^\p{ASCII}]/u.test(local)) return 'letters'
  return dotAtom.test(local) ? null : 'local'
}

/** Null if this cannot be a public email domain: it needs a dot, valid labels, and a letter in the last label. */
function asciiDomain(domain: string): string | null {
  // Checked first: domainToASCII reads its input as a URL's host, so it cuts at `/` and decodes `%61`.
  if (/[^a-z0-9.\-\u0080-\u{10ffff}]/iu.test(domain)) return null
  const ascii = domainToASCII(domain).toLowerCase()
  const labels = ascii.split('.')
  const real =
    labels.length >= 2 && labels.every((one) => label.test(one)) && /[a-z]/.test(labels.at(-1) ?? '')
  return real && ascii.length <= 253 ? ascii : null
}
