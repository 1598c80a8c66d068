import { type Finding, measured } from './finding.ts'
import type { Mail } from './mail.ts'

/** Gmail cuts off an email after about 102,000 bytes, and the unsubscribe link with it. */
const MOST_BYTES = 60_000
const TYPICAL_BYTES = 40_000

/** The size of the HTML part in UTF-8. */
export function size({ name, size, email }: Mail): Finding[] {
  const isTypical = size === 'typical' || size === 'branded'
  const limit = isTypical ? TYPICAL_BYTES : MOST_BYTES
  const figure = Buffer.byteLength(email.html)
  const says = `${figure} bytes are ${figure - limit} too many`
  return [measured(`HTML of ${isTypical ? 'a typical' : 'any'} mail, bytes`, name, { figure, limit, says })]
}
