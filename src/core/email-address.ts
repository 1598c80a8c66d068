import { domainToASCII } from 'node:url'

/**
 * An address in the one form we store and compare: trimmed, lower case, the domain in ASCII (`xn--…`). Refused with
 * what to do: anything that Resend or the next server would refuse. `problem` never repeats the address.
 * RFC 5321 §4.5.3.1 (lengths), RFC 5322 §3.2.3 (dot-atom), RFC 5890 (international domains).
 */
export function normaliseEmail(text: string): { email: string } | { problem: string } {
  const trimmed = text.trim()
  if (trimmed === '') return { problem: 'is missing; write an address like name@practice.org' }
  if (trimmed.length > LONGEST_ADDRESS) return { problem: tooLong }
  if (/[<>]/.test(trimmed)) return { problem: 'has angle brackets; write only the address, without a name' }
  if (/[\s\p{Cc}]/u.test(trimmed)) return { problem: 'has a space or control character in it; remove it' }
  const [local = '', domain = '', ...more] = trimmed.split('@')
  if (more.length > 0) return { problem: 'has more than one @; write one address per row' }
  if (local === '' || domain === '') return { problem: 'is not an address; write it like name@practice.org' }

  const localProblem = problemOfLocalPart(local)
  if (localProblem) return { problem: localProblem }
  const ascii = asciiDomain(domain)
  if (ascii === null) return { problem: 'has a domain that cannot exist; check the part after the @' }
  const email = `${local.toLowerCase()}@${ascii}`
  return email.length > LONGEST_ADDRESS ? { problem: tooLong } : { email }
}

const LONGEST_ADDRESS = 254
const LONGEST_LOCAL_PART = 64
const tooLong = `is longer than ${LONGEST_ADDRESS} characters; check it`

const dotAtom = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

function problemOfLocalPart(local: string): string | null {
  if (local.length > LONGEST_LOCAL_PART)
    return `has more than ${LONGEST_LOCAL_PART} characters before the @; check it`
  if (/[^\p{ASCII}]/u.test(local))
    return 'has letters outside a-z before the @, which the mail provider refuses; ask for another address'
  return dotAtom.test(local) ? null : 'has a character or dot that is not allowed before the @; check it'
}

/** Null when no public mail domain looks like this: it needs a dot, ordinary labels, and a last label with a letter. */
function asciiDomain(domain: string): string | null {
  // Checked first: domainToASCII reads its input as a URL's host, so it cuts at `/` and decodes `%61`.
  if (/[^a-z0-9.\-\u0080-\u{10ffff}]/iu.test(domain)) return null
  const ascii = domainToASCII(domain).toLowerCase()
  const labels = ascii.split('.')
  const real =
    labels.length >= 2 && labels.every((one) => label.test(one)) && /[a-z]/.test(labels.at(-1) ?? '')
  return real && ascii.length <= 253 ? ascii : null
}
