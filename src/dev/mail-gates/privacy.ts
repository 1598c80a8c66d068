import { parse } from 'node-html-parser'
import { counted, type Finding } from './finding.ts'
import { fieldsOf } from './headers.ts'
import type { Mail } from './mail.ts'

/** Words that tell what a mail is about; in Spanish too. */
const TELLING = /therap|terap|anxi|ansie|depress|depres|trauma|grief|duelo/i
const NOT_DISCREET = /therap|terap|group|grupo|session|sesi[oó]n|seat|plaza|reserv/i

/** Lists, logs, lock screens and shoulders: what shows before a mail is opened names nobody and no condition. */
export function privacy(mail: Mail): Finding[] {
  const { name, kind, privateNames, practice } = mail
  const outside = shownBeforeOpening(mail)
  const faults = outside.flatMap(({ where, words }) =>
    privateNames.filter((one) => holds(words, one)).map((one) => `${where} names ${one}`),
  )
  const telling = outside
    .filter(({ where, words }) => where !== 'List-ID' && where !== 'List-Unsubscribe' && TELLING.test(words))
    .map(({ where, words }) => `${where} tells what it is about: ${words}`)
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

/** The address is the same for all; its name is what a discreet reader's mail changes. */
const senderIn = (from: string): string => from.replace(/<[^<>]*>$/, '')
