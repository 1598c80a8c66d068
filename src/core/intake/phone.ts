/**
 * The `tel:` link of a phone number as people write it: `(207) 555-0143`, `+1 207 555 0143 ext. 2`. Null if it is not a number
 * that can be called: 3 to 15 digits (E.164), with spaces, dots, dashes, slashes and brackets between them.
 */
export function phoneLink(text: string): string | null {
  if (text.trim().length > LONGEST) return null
  const [, plus = '', number = '', extension] = PHONE.exec(text.trim()) ?? []
  const digits = number.replace(/\D/g, '')
  if (digits.length < 3 || digits.length > 15) return null
  return `tel:${plus}${digits}${extension === undefined ? '' : `;ext=${extension}`}`
}

// Bounded, because the expression would try a long text in very many ways.
const LONGEST = 60
const PHONE = /^(\+?)([\d\s().\-/]+?)(?:[\s,;]*(?:ext\.?|extension|x)\s*(\d{1,6}))?$/i
