import { plain } from '../mail/digest-page.ts'
import type { FormError } from './fields.ts'

const LONGEST_NAME = 60

/** Cleans a name for the greeting. `error` if it is too long or contains contact details. */
export function readName(text: string): { name: string; error: FormError | null } {
  const name = plain(text)
  if (name.length > LONGEST_NAME)
    return { name, error: { field: 'name', key: 'page.wrong.name.long', values: { max: LONGEST_NAME } } }
  return { name, error: holdsContact(name) ? { field: 'name', key: 'page.wrong.name.link' } : null }
}

/**
 * Whether a name contains a link, an email address, or a phone number. With one, our emails could carry a stranger's
 * advertisement. `Ma.Theresa` and `St.John` are names: a dot before a capital counts only with a well-known domain ending.
 */
export function holdsContact(name: string): boolean {
  // NFKC turns full-width and one-dot look-alikes into dots. Browsers also read the ideographic full stop as one (UTS #46 §2.3).
  const text = name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replaceAll('\u3002', '.')
  return LINK.test(text) || KNOWN_ENDING.test(text) || (text.match(/\p{Nd}/gu) ?? []).length > MOST_DIGITS
}

// Phone numbers have at least seven digits; years and house numbers have fewer.
const MOST_DIGITS = 5
const LINK = /:\/\/|www\.|@|[\p{L}\d]\.(?:xn--|\p{Ll}{2}|\p{Lo}{2})/u
// Without endings that also occur in names, as in Ma.De Lourdes.
const ENDINGS =
  'com net org info biz edu gov app dev shop site online store xyz top club vip live link click page test example ai cc cn ' +
  'co eu fr io ly mx ru tk tv uk us ws'
const KNOWN_ENDING = new RegExp(
  `www\\.|[\\p{L}\\d]\\.(?:${ENDINGS.replaceAll(' ', '|')})(?![\\p{L}\\p{M}])`,
  'iu',
)
