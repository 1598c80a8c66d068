import fc from 'fast-check'
import type { Email } from '../../src/core/mail/digest.ts'
import { counted, type Finding } from './finding.ts'
import { fieldsOf } from './headers.ts'
import { messageOf } from './mail.ts'

/** Fields of an email that come from other people or from settings. */
export type Entered = {
  to: string
  name: string
  practice: string
  from: string
  topic: string
  group: string
  therapist: string
}

const FIELDS: (keyof Entered)[] = ['to', 'name', 'practice', 'from', 'topic', 'group', 'therapist']

/**
 * Checks that no entered text can add a header: either `compose` refuses it, or the message has its usual headers.
 * The seed is fixed, so that a fault can be reproduced.
 */
export async function headerInjection(
  mail: string,
  compose: (entered: Partial<Entered>) => Email,
  attempts = 150,
): Promise<Finding[]> {
  const usual = await headerNames(compose({}))
  const lineBreak = fc.constantFrom('\r\n', '\n', '\r', '\r\n ', '\n\t', '\u2028', '\u0085', '\0\r\n')
  const evil = fc
    .tuple(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      lineBreak,
      fc.constantFrom('Bcc: eve@evil.test', 'X-Evil: 1', '\r\n<p>'),
    )
    .map(([before, breaks, after]) => `${before}${breaks}${after}`)
  const property = fc.asyncProperty(fc.constantFrom(...FIELDS), evil, async (field, text) => {
    const value =
      field === 'from'
        ? `${text} <groups@mail.sample.test>`
        : field === 'to'
          ? `ada@sample.test${text}`
          : text
    const email = attempt(() => compose({ [field]: value }))
    if (!email) return true
    const { from, to, replyTo = '', subject, headers } = email
    const unbroken = ![from, to, replyTo, subject, ...Object.values(headers)].some((one) =>
      /[\r\n]/.test(one),
    )
    return unbroken && (await headerNames(email)) === usual
  })
  const { failed, counterexample } = await fc.check(property, { numRuns: attempts, seed: 8058 })
  const faults = failed
    ? [`${counterexample?.[0]} of ${JSON.stringify(counterexample?.[1])} reaches a header`]
    : []
  return [counted('header injection', mail, faults)]
}

function attempt(compose: () => Email): Email | null {
  try {
    return compose()
  } catch {
    return null
  }
}

const headerNames = async (email: Email): Promise<string> =>
  fieldsOf(await messageOf(email))
    .map(({ name }) => name)
    .join()
