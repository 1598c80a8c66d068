import Handlebars from 'handlebars'
import { counted, type Finding, measured } from './finding.ts'
import { type Mail, unsaidIn } from './mail.ts'

const COLUMNS = 72
const LEFTOVER = /undefined|NaN|\{\{|\}\}|\[object|\bnull\b|Invalid Date/

/** Checks that the text part reads well in a terminal: wrapped, plain lines, and every name exactly as entered. */
export function textPart({ name, email, mustSay }: Mail): Finding[] {
  const widths = email.text.split('\n').map((line) => ({ line, width: widthOf(line) }))
  const { line, width } = widths.reduce((a, b) => (b.width > a.width ? b : a))
  return [
    measured('text part, columns', name, { figure: width, limit: COLUMNS, says: `too wide: ${line}` }),
    counted('text part, shape', name, shapeFaults(email.text, mustSay)),
    counted('text part, says every name', name, unsaidIn(email.text, mustSay)),
  ]
}

/** Checks that no leftovers of code show in either part or the subject. */
export function leftovers({ name, email, mustSay }: Mail): Finding[] {
  const { html, text, subject } = email
  const faults = Object.entries({ html, text, subject }).flatMap(([part, source]) => {
    const own = mustSay.reduce(withoutTrap, withoutBraces(source))
    const found = LEFTOVER.exec(own)
    return found
      ? [`${part}: …${own.slice(Math.max(0, found.index - 20), found.index + 30).replace(/\s+/g, ' ')}…`]
      : []
  })
  return [counted('no undefined, {{, NaN, [object', name, faults)]
}

/** Width in characters as a reader counts them, without URLs and overlong words, which cannot be wrapped. */
function widthOf(line: string): number {
  const wrappable = line.replace(/https:\/\/\S+|\S{61,}/g, (word) => (/^([-=])\1+$/.test(word) ? word : ''))
  return [...graphemes.segment(wrappable)].length
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

function shapeFaults(text: string, mustSay: readonly string[]): string[] {
  const own = mustSay.reduce(withoutTrap, text)
  const faults: [boolean, string][] = [
    [/[^\S\n]$/m.test(text.replace(/^-- $/m, '--')), 'a space at the end of a line'],
    [/\n{4}/.test(text), 'three empty lines'],
    [/^\n|\n\n$/.test(text), 'empty lines at the start or end'],
    [/(?!\n)\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u.test(text), 'a control character'],
    [/&(amp|lt|gt|quot|#x?\w+);/.test(own), 'HTML escapes'],
    [/<\/?(p|br|a|b|td|div|span)\b[^>]*>/.test(own), 'HTML'],
  ]
  return faults.filter(([wrong]) => wrong).map(([, what]) => what)
}

/** Media queries in styles end in two braces, which are not a leftover. */
const withoutBraces = (html: string): string =>
  html.replace(/<style[^]*?<\/style>/gi, (style) => style.replaceAll('}', ' '))

/** Removes a trap, which may contain braces. If it was wrapped, removes its words one by one. */
const withoutTrap = (source: string, trap: string): string =>
  [
    trap,
    Handlebars.escapeExpression(trap),
    ...trap.split(/\s+/).filter((word) => /[{}<>&]/.test(word)),
  ].reduce((rest, words) => rest.replaceAll(words, ''), source)
