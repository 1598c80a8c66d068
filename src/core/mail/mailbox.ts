import { domainToASCII } from 'node:url'

/** A sender or recipient. `name` may be '' and has no quotation marks around it. */
export type Mailbox = { name: string; address: string }

/**
 * Reads `Mira Lee, LCSW <mira@practice.org>`, with or without quotation marks around the name, or just an address. Returns
 * the domain in ASCII (RFC 5890). Null if it is neither, or could add a header or a second address.
 */
export function parseMailbox(text: string): Mailbox | null {
  const match = /^(?:([^\r\n<>]*?)\s*<([^\s<>@]+@[^\s<>@]+)>|([^\s<>@"]+@[^\s<>@"]+))$/u.exec(text.trim())
  if (!match) return null
  const [, written = '', inBrackets, alone = ''] = match
  const [local = '', domain = ''] = (inBrackets ?? alone).split('@')
  const ascii = /^[\x21-\x7e]+$/.test(domain) ? domain : domainToASCII(domain)
  if (ascii === '' || !/^[\x21-\x7e]+$/.test(local)) return null
  return { name: unquoted(written.trim()), address: `${local}@${ascii}` }
}

/** The mailbox for a header. Quotes a name with characters that separate addresses (RFC 5322 §3.2.4, §3.4). */
export function formatMailbox({ name, address }: Mailbox): string {
  if (name === '') return address
  const quoted = /[()<>[\]:;@\\,."]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name
  return `${quoted} <${address}>`
}

function unquoted(name: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/.exec(name)?.[1]
  return inner === undefined ? name : inner.replace(/\\(.)/g, '$1').trim()
}
