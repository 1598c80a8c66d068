import { plain } from '../mail/digest-page.ts'
import type { FormError } from './fields.ts'

/** Reads a name for the greeting: cleaned, and what is wrong with it when it is too long or holds a contact. */
export function readName(text: string, longest: number): { name: string; error: FormError | null } {
  const name = plain(text)
  if (name.length > longest)
    return { name, error: { field: 'name', key: 'page.wrong.name.long', values: { max: longest } } }
  return { name, error: holdsContact(name) ? { field: 'name', key: 'page.wrong.name.link' } : null }
}

/**
 * Whether a name holds a link, an email address or a phone number. It would make our email carry a stranger's
 * advertisement. `Ma.Theresa` and `St.John` are names: a dot before a capital counts only with a well-known ending.
 */
export function holdsContact(name: string): boolean {
  // NFKC folds full-width and one-dot look-alikes; browsers also read the ideographic full stop as a dot (UTS #46 §2.3).
  const text = name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replaceAll('\u3002', '.')
  return LINK.test(text) || KNOWN_ENDING.test(text) || (text.match(/\p{Nd}/gu) ?? []).length > MOST_DIGITS
}

// No phone number is shorter than seven digits with its area code; a year or a house number is.
const MOST_DIGITS = 5
const LINK = /:\/\/|www\.|@|[\p{L}\d]\.(?:xn--|\p{Ll}{2}|\p{Lo}{2})/u
const ENDINGS = [
  ...['com', 'net', 'org', 'info', 'biz', 'edu', 'gov', 'app', 'dev', 'shop', 'site', 'online', 'store'],
  ...[
    'xyz',
    'top',
    'club',
    'vip',
    'live',
    'link',
    'click',
    'page',
    'test',
    'example',
    'ai',
    'cc',
    'cn',
    'co',
  ],
  // Not those that are parts of names as well, as in Ma.De Lourdes.
  ...['eu', 'fr', 'io', 'ly', 'mx', 'ru', 'tk', 'tv', 'uk', 'us', 'ws'],
]
const KNOWN_ENDING = new RegExp(`www\\.|[\\p{L}\\d]\\.(?:${ENDINGS.join('|')})(?![\\p{L}\\p{M}])`, 'iu')
