import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import { z } from 'zod'
import { inMode } from '../../core/mail/as-shown.ts'
import { DEFAULT_BRAND_COLOR, paletteFrom } from '../../core/mail/palette.ts'
import type { KeptEmail, Mailbox } from './mailbox.ts'

/** An email that is worth a look: the newest one to this address. */
export type Example = { label: string; to: string }

/** How an email is shown, and what the list was searched for. */
export type View = z.infer<typeof View>

/** Anything else in the address of a page counts as not given. */
export const View = z.object({
  show: z.enum(['email', 'text', 'headers']).catch('email'),
  width: z.enum(['desktop', 'phone']).catch('desktop'),
  color: z.enum(['light', 'dark']).catch('light'),
  q: z.string().trim().max(200).catch(''),
})

const PLAIN_VIEW: View = { show: 'email', width: 'desktop', color: 'light', q: '' }
const SWITCHES = [
  { name: 'show', label: 'Show', choices: { email: 'Email', text: 'Text part', headers: 'Headers' } },
  { name: 'width', label: 'Width', choices: { desktop: 'Desktop', phone: 'Phone' } },
  { name: 'color', label: 'Colors', choices: { light: 'Light', dark: 'Dark' } },
] as const
const MOST_ROWS = 500

/** The list, and beside it the chosen email; if none was chosen, the first example. */
export function inboxPage(
  mailbox: Mailbox,
  examples: readonly Example[],
  { chosen, view }: { chosen: KeptEmail | null; view: View },
): string {
  const all = mailbox.all()
  const found = all.filter((email) => matches(email, view.q))
  const firstOf = ({ to }: Example) => all.find((email) => email.to.includes(to))
  const worth = examples.flatMap((example) => {
    const email = firstOf(example)
    return email ? [{ label: example.label, email }] : []
  })
  const email = chosen ?? (view.q === '' ? worth[0]?.email : undefined) ?? found[0] ?? null
  const rows = found.slice(0, MOST_ROWS)
  return INBOX({
    chosen: chosen !== null,
    total: all.length,
    count: counted(all.length),
    query: view.q,
    kept: Object.entries(settingsIn({ ...view, q: '' })).map(([name, value]) => ({ name, value })),
    examples: worth.map((one) => ({
      label: one.label,
      href: addressOf(one.email, { ...view, q: '' }),
      current: one.email === email,
    })),
    rows: rows.map((one) => ({ ...row(one), href: addressOf(one, view), current: one === email })),
    more:
      found.length > rows.length
        ? `${(found.length - rows.length).toLocaleString('en-US')} older ones are left out here: search for them.`
        : '',
    back: `/${asQuery(view)}`,
    email: email && row(email),
    ...(email && bodyOf(email, view)),
  })
}

/** A page of a few lines, such as the one where "Reserve" leads. */
export function notePage(note: { title: string; lines: readonly string[]; about?: string }): string {
  return NOTE({ about: '', ...note })
}

/** The email for its frame: with its links in new tabs, in light or dark. */
export function framed({ html, text }: KeptEmail, color: View['color']): string {
  if (html === '') return `<!doctype html><pre>${Handlebars.escapeExpression(text)}</pre>`
  const base = '<base target="_blank">'
  const shown = inMode(html, color)
  return /<head[^>]*>/i.test(shown) ? shown.replace(/<head[^>]*>/i, (head) => head + base) : base + shown
}

/** What the pages load. */
export const FILES = {
  '/inbox.css': { type: 'text/css; charset=utf-8', body: `${colors()}\n${read('inbox.css')}` },
  '/inbox.js': { type: 'text/javascript; charset=utf-8', body: read('inbox.js') },
  '/inbox.svg': {
    type: 'image/svg+xml',
    body: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${DEFAULT_BRAND_COLOR}"/><path d="M7 10h18v12H7zl9 7 9-7" fill="none" stroke="#fff" stroke-width="2" stroke-linejoin="round"/></svg>`,
  },
}

function bodyOf(email: KeptEmail, view: View) {
  const { show, width, color } = view
  const shown = SWITCHES.filter(({ name }) => name === 'show' || show === 'email')
  const switches = shown.map(({ name, label, choices }) => ({
    name,
    label,
    choices: Object.entries(choices).map(([value, label]) => ({
      label,
      href: addressOf(email, { ...view, [name]: value }),
      current: view[name] === value,
    })),
  }))
  return {
    switches,
    width,
    color,
    frame: show === 'email' ? `/inbox/${email.id}/email?color=${color}` : '',
    text: show === 'text' ? email.text || 'This email has no text part.' : '',
    headers: show === 'headers' ? headersOf(email) : null,
  }
}

function headersOf({ from, to, replyTo, subject, at, headers }: KeptEmail) {
  const own = { From: from, To: to.join(', '), 'Reply-To': replyTo.join(', '), Subject: subject }
  const all = { ...own, Date: at.toUTCString().replace('GMT', '+0000'), ...headers }
  return Object.entries(all).flatMap(([name, value]) => (value ? [{ name, value }] : []))
}

function row({ at, from, to, subject, preheader }: KeptEmail) {
  const when = at.toLocaleString('en-US', { hour: 'numeric', minute: '2-digit' })
  const sender = from.replace(/\s*<[^<>]*>$/, '') || from
  return { at: at.toISOString(), when, from, sender, to: to.join(', '), subject, preheader }
}

const matches = ({ from, to, subject, preheader, text }: KeptEmail, query: string): boolean =>
  [from, ...to, subject, preheader, text].join('\n').toLowerCase().includes(query.toLowerCase())

const counted = (count: number): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? 'email' : 'emails'}`

const addressOf = ({ id }: KeptEmail, view: View): string => `/inbox/${id}${asQuery(view)}`

/** Only what differs from the plain view, so that most addresses are short. */
const settingsIn = (view: View): Record<string, string> =>
  Object.fromEntries(Object.entries(view).filter(([name, value]) => value !== PLAIN_VIEW[name as keyof View]))

function asQuery(view: View): string {
  const query = new URLSearchParams(settingsIn(view)).toString()
  return query === '' ? '' : `?${query}`
}

/** The palette of emails and pages as custom properties: `--back` follows the mode, `--back-light` and `--back-dark` do not. */
function colors(): string {
  const palette = Object.entries(paletteFrom(DEFAULT_BRAND_COLOR))
  const both = palette
    .filter(([role]) => !role.endsWith('-dark'))
    .map(
      ([role, color]) => `--${role}-light: ${color}; --${role}: light-dark(${color}, var(--${role}-dark));`,
    )
  const dark = palette
    .filter(([role]) => role.endsWith('-dark'))
    .map(([role, color]) => `--${role}: ${color};`)
  return `:root { ${[...dark, ...both].join(' ')} }`
}

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8')
}

const INBOX = Handlebars.compile(read('inbox.hbs'), { strict: false })
const NOTE = Handlebars.compile(read('note.hbs'), { strict: false })
