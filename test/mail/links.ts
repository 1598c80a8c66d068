import { parse } from 'node-html-parser'
import { counted, type Finding } from './finding.ts'
import type { Mail } from './mail.ts'

/** Checks where links lead, that both parts have the same links, and that opening the email fetches nothing from others. */
export function links(mail: Mail): Finding[] {
  return [
    counted('links: https, ours or a booking', mail.name, wrongLinks(mail)),
    counted('links: each once in both parts', mail.name, differentLinks(mail)),
    counted('third-party references', mail.name, foreignReferences(mail)),
  ]
}

/** Of crisis lines, for readers in countries whose line we do not know. */
const DIRECTORY = 'https://findahelpline.com'

function wrongLinks({ email, publicUrl, bookingUrls, mustSay }: Mail): string[] {
  const own = new URL(publicUrl).host
  const addresses = [...hrefsOf(email.html), ...addressesIn(textOf({ email, mustSay }))]
  return [...new Set(addresses)].flatMap((address) => {
    const url = URL.parse(address)
    if (/^(tel|sms):[*\d]+$/.test(address) || address === DIRECTORY) return []
    if (!url) return [`not an absolute address: ${address}`]
    if (url.protocol !== 'https:') return [`not https: ${address}`]
    if (url.host !== own && !bookingUrls.includes(address)) return [`leads elsewhere: ${address}`]
    if (/[?&](utm_|fbclid|gclid)/i.test(address)) return [`tracks where a reader came from: ${address}`]
    if (decodeURIComponent(url.href).includes('@')) return [`contains an email address: ${address}`]
    return []
  })
}

function differentLinks({ email, mustSay }: Mail): string[] {
  const [html, text] = [hrefsOf(email.html).filter(isWritten), addressesIn(textOf({ email, mustSay }))]
  const dense = email.text.replace(/[\s().-]/g, '') // as in (207) 555-0134
  const unsaid = hrefsOf(email.html).filter(
    (address) =>
      !isWritten(address) && !dense.includes(address.replace(/^tel:|^sms:|^https:\/\//, '').replace('.', '')),
  )
  return [
    ...unsaid.map((address) => `the text does not say ${address}`),
    ...[...new Set([...html, ...text])].flatMap((address) => {
      const times = [html, text].map((part) => part.filter((one) => one === address).length)
      return times.every((n) => n === 1) ? [] : [`${times[0]} times in HTML, ${times[1]} in text: ${address}`]
    }),
  ]
}

/** Whether the text part has the address itself. It has numbers to call and the directory as words. */
const isWritten = (address: string): boolean => /^(?!tel:|sms:)/.test(address) && address !== DIRECTORY

function foreignReferences({ email, publicUrl }: Mail): string[] {
  const fetched = parse(email.html)
    .querySelectorAll('*')
    .flatMap(({ rawTagName, attributes }) =>
      Object.entries(attributes)
        .filter(([name]) => FETCHED.test(name) && !(rawTagName === 'a' && name === 'href'))
        .flatMap(([name, value]) =>
          addressesToFetch(value).map((url) => ({ where: `<${rawTagName} ${name}>`, url })),
        ),
    )
  const styles = [...email.html.matchAll(/<style[^]*?<\/style>/gi)].map(([style]) => style).join()
  const inStyles = addressesToFetch(styles).map((url) => ({ where: 'style', url }))
  return [...fetched, ...inStyles]
    .filter(({ url }) => !url.startsWith(`${publicUrl}/`))
    .map(({ where, url }) => `${where}: ${url}`)
}

/** Attributes that a client may fetch on its own. `xmlns` is only a name and is never fetched. */
const FETCHED = /^(src|srcset|href|background|poster|data|action|style|cite|ping|lowsrc|dynsrc)$/i

const addressesToFetch = (value: string): string[] =>
  [...value.matchAll(/(?:\b[a-z]+:)?\/\/[^\s"')]+|url\([^)]*\)|@import[^;]+|\b(?:cid|data):[^\s"')]+/gi)].map(
    ([url]) => url,
  )

/** The text without traps that contain a URL: those are names, not links. */
const textOf = ({ email, mustSay }: Pick<Mail, 'email' | 'mustSay'>): string =>
  mustSay
    .flatMap((trap) => trap.split(/\s+/))
    .reduce((text, word) => (word.includes('//') ? text.replaceAll(word, '') : text), email.text)

const hrefsOf = (html: string): string[] =>
  parse(html)
    .querySelectorAll('a, area')
    .map((link) => link.getAttribute('href') ?? '')

const addressesIn = (text: string): string[] => text.match(/\b(?:https?|mailto|javascript|data):\S+/g) ?? []
