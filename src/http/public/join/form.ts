import { z } from 'zod'
import type { SignUpForm } from '../../../actions/subscribers/join.ts'
import { normalizeEmail } from '../../../core/intake/email-address.ts'
import type { FormError } from '../../../core/intake/fields.ts'
import { readName } from '../../../core/intake/names.ts'
import { addressFormError } from '../../../core/intake/preferences.ts'
import { canonicalZone } from '../../../core/time/zone-names.ts'
import { readDatedToken, signDatedToken } from '../../../core/tokens.ts'
import type { Topic } from '../../../db/sessions/sessions.ts'

/** The form as text, not checked yet. */
export type Typed = z.infer<typeof Typed>

export type FormRead =
  | { kind: 'valid'; form: SignUpForm }
  | { kind: 'invalid'; errors: FormError[] }
  /**
   * Too fast for a person, not from our page, or with the hidden field filled. A browser that fills forms by itself may do any
   * of these, so the visitor is asked to send it again.
   */
  | { kind: 'again' }
  /** The page was open for more than a day. */
  | { kind: 'stale' }

/** No person reads the page and types an address faster; programs do. */
export const LEAST_FILL_MS = 3_000
/** What a person takes at least to read that they should send the form again, which fast ones are asked to. */
export const LEAST_READ_MS = 1_000
/** A program may have saved a form that is older than this. */
const LONGEST_FILL_MS = 24 * 3_600_000

const Text = z.string().catch('')
const Typed = z.object({
  email: Text,
  name: Text,
  tz: Text,
  topics: z.union([z.string().transform((one) => [one]), z.array(z.string()).max(200)]).catch([]),
  discreet: z
    .literal('1')
    .transform(() => true)
    .catch(false),
  /** People do not see this field. Its name means nothing, so that browsers have nothing to fill in. */
  zq3: Text,
  /** When the page was made, signed. */
  stamp: Text,
})

/** The fields of a posted body; missing and malformed ones count as empty. */
export function typedIn(body: unknown): Typed {
  return Typed.parse(body ?? {})
}

/** The hidden field with the time when the page was made. */
export function stampFor(secrets: readonly string[], at: Date): string {
  return signDatedToken(secrets[0] ?? '', 'form', 'join', at)
}

/** What reading a form needs; `locale` is the language of its page. */
type Context = { secrets: readonly string[]; topics: readonly Topic[]; locale: string; now: Date }

/** When the page of this stamp was made; null if none of `secrets` signed it. */
export function stampedAt(secrets: readonly string[], stamp: string): Date | null {
  return readDatedToken(secrets, 'form', stamp)?.at ?? null
}

/** Reads a form whose page was signed with one of `secrets`. */
export function readForm(typed: Typed, { secrets, topics, locale, now }: Context): FormRead {
  const made = stampedAt(secrets, typed.stamp)
  const age = now.getTime() - (made?.getTime() ?? 0)
  if (made === null || typed.zq3 !== '' || age < LEAST_FILL_MS) return { kind: 'again' }
  if (age > LONGEST_FILL_MS) return { kind: 'stale' }

  const address = normalizeEmail(typed.email)
  const { name, error } = readName(typed.name)
  const ids = new Map(topics.map(({ slug, id }) => [slug, id]))
  const chosen = typed.topics.map((slug) => ids.get(slug))
  const errors: FormError[] = []
  if ('fault' in address) errors.push(addressFormError(address.fault))
  if (error) errors.push(error)
  const timeZone = canonicalZone(typed.tz)
  if (timeZone === null) errors.push({ field: 'tz', key: 'page.wrong.zone' })
  if (chosen.includes(undefined)) errors.push({ field: 'topics', key: 'page.wrong.topics' })
  if ('fault' in address || timeZone === null || errors.length > 0) return { kind: 'invalid', errors }
  const topicIds = new Set(chosen.filter((id) => id !== undefined))
  return {
    kind: 'valid',
    form: {
      email: address.email,
      name: name || null,
      timeZone,
      locale,
      discreet: typed.discreet,
      topics: topicIds.size === 0 ? 'all' : topicIds,
    },
  }
}
