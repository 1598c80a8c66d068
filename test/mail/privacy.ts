import { parse } from 'node-html-parser'
import { counted, type Finding } from './finding.ts'
import { fieldsOf } from './headers.ts'
import type { Mail } from './mail.ts'

/** Words that give away the subject of an email, in English and Spanish. */
const TELLING = /therap|terap|anxi|ansie|depress|depres|trauma|grief|duelo/i
const NOT_DISCREET = /therap|terap|group|grupo|session|sesi[oó]n|seat|plaza|reserv/i

/** Checks what shows before an email is opened (inbox, lock screen, logs): it must name no person and no condition. */
export function privacy(mail: Mail): Finding[] {
  const { name, kind, privateNames, practice } = mail
  const outside = shownBeforeOpening(mail)
  const faults = outside.flatMap(({ where, words }) =>
    privateNames.filter((one) => holds(words, one)).map((one) => `${where} names ${one}`),
  )
  const telling = outside
    .filter(({ where, words }) => where !== 'List-ID' && where !== 'List-Unsubscribe' && TELLING.test(words))
    .map(({ where, words }) => `${where} gives away the subject: ${words}`)
  const findings = [counted('privacy of headers and preview', name, [...faults, ...telling])]
  if (kind !== 'discreet') return findings
  const indiscreet = outside
    .filter(({ where }) => DISCREET_PLACES.includes(where))
    .filter(({ words }) => holds(words, practice) || NOT_DISCREET.test(words))
    .map(({ where, words }) => `${where} is not discreet: ${words}`)
  return [...findings, counted('discreet until it is opened', name, indiscreet)]
}

const DISCREET_PLACES = ['From', 'Subject', 'title', 'heading', 'preview']

function shownBeforeOpening({ eml, email }: Mail): { where: string; words: string }[] {
  const page = parse(email.html)
  const preview = page.querySelectorAll('[style*="display:none"]').map(({ text }) => text)
  return [
    ...fieldsOf(eml).map(({ name, decoded }) => ({
      where: name,
      words: name === 'From' ? senderIn(decoded) : decoded,
    })),
    { where: 'title', words: page.querySelector('title')?.text ?? '' },
    { where: 'heading', words: page.querySelector('h1')?.text ?? '' },
    {
      where: 'preview',
      words: preview
        .join(' ')
        .replace(/[\u200c\u00a0\s]+/g, ' ')
        .trim(),
    },
  ]
}

const holds = (words: string, name: string): boolean => words.toLowerCase().includes(name.toLowerCase())

/** The sender name only: the address is the same for everyone, and discreet emails change only the name. */
const senderIn = (from: string): string => from.replace(/<[^<>]*>$/, '')
