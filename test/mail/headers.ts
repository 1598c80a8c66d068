import { simpleParser } from 'mailparser'
import { counted, type Finding } from './finding.ts'
import type { Mail } from './mail.ts'

export type Field = { name: string; raw: string; decoded: string }

const ONCE = [
  'From',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'X-Entity-Ref-ID',
]
const KNOWN = [...ONCE, 'Reply-To', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'List-ID']

/** The message as lines of mail (RFC 5322, 2045, 2047), its headers, and what lists owe their readers (RFC 8058). */
export async function headers(mail: Mail): Promise<Finding[]> {
  return [
    counted('message: RFC 5322 and MIME', mail.name, [...lineFaults(mail.eml), ...fieldFaults(mail)]),
    counted('message: read back as written', mail.name, await roundTripFaults(mail)),
    counted('one-click unsubscribing, RFC 8058', mail.name, unsubscribeFaults(mail)),
  ]
}

/** The header fields of a message, unfolded and decoded. */
export function fieldsOf(eml: Buffer): Field[] {
  const [head = ''] = eml.toString('latin1').split('\r\n\r\n')
  return head
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .map((line) => {
      const [, name = line, raw = ''] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? []
      return { name, raw, decoded: decodedWords(raw) }
    })
}

function lineFaults(eml: Buffer): string[] {
  const text = eml.toString('latin1')
  const lines = text.split('\r\n')
  const head = lines.slice(0, lines.indexOf(''))
  const faults: [boolean, string][] = [
    [/(^|[^\r])\n|\r(?!\n)/.test(text), 'a line end that is not CRLF'],
    [/\P{ASCII}/u.test(text), 'bytes beyond 7 bits'],
    [lines.some((line) => line.length > 998), 'a line of more than 998 characters'],
    [
      lines.slice(head.length).some((line) => line.length > 76),
      'a line of the body of more than 76 characters',
    ],
    // A word without a blank (the address of a link) cannot be folded.
    [
      head.some((line) => line.length > 78 && /\S\s+\S/.test(line.trim())),
      'a header line of more than 78 characters',
    ],
    [
      (text.match(/=\?[^?\s]+\?[bq]\?[^?\s]*\?=/gi) ?? []).some((word) => word.length > 75),
      'an encoded word of more than 75',
    ],
  ]
  return faults.filter(([wrong]) => wrong).map(([, what]) => what)
}

function fieldFaults({ eml, email }: Mail): string[] {
  const fields = fieldsOf(eml)
  const times = (name: string) =>
    fields.filter((field) => field.name.toLowerCase() === name.toLowerCase()).length
  const valueOf = (name: string) => fields.find((field) => field.name === name)?.decoded ?? ''
  return [
    ...ONCE.filter((name) => times(name) !== 1).map((name) => `${name} is there ${times(name)} times`),
    ...fields.filter(({ name }) => !KNOWN.includes(name)).map(({ name }) => `an unforeseen header: ${name}`),
    ...fields.filter(({ name }) => times(name) > 1).map(({ name }) => `${name} is there more than once`),
    ...(valueOf('To') === email.to && !/[,;\s]/.test(email.to)
      ? []
      : [`To is ${valueOf('To')}, not the one recipient`]),
    ...(/^<[^\s<>@]+@[^\s<>@]+>$/.test(valueOf('Message-ID')) ? [] : ['a Message-ID of the wrong shape']),
    ...(valueOf('Content-Type').startsWith('multipart/alternative') ? [] : ['not multipart/alternative']),
    ...(email.subject.length <= 78 && email.subject.trim() !== ''
      ? []
      : ['a subject that is empty or over 78 characters']),
  ]
}

async function roundTripFaults({ eml, email }: Mail): Promise<string[]> {
  const read = await simpleParser(eml, { skipTextToHtml: true, skipHtmlToText: true, skipImageLinks: true })
  const asLines = (text: string | false | undefined) => (text || '').replace(/\r\n/g, '\n').trimEnd()
  const faults: [boolean, string][] = [
    [read.subject !== email.subject, `the subject reads ${read.subject}`],
    [asLines(read.text) !== asLines(email.text), 'the text part'],
    [asLines(read.html) !== asLines(email.html), 'the HTML part'],
    [read.attachments.length > 0, 'an attachment'],
  ]
  return faults.filter(([wrong]) => wrong).map(([, what]) => what)
}

/** https://www.rfc-editor.org/rfc/rfc8058. An email that only asks to confirm, or that was asked for, belongs to no list. */
function unsubscribeFaults({ kind, email, eml, publicUrl }: Mail): string[] {
  const fields = fieldsOf(eml)
  const valueOf = (name: string) => fields.find((field) => field.name === name)?.raw
  const [ways, post] = [valueOf('List-Unsubscribe'), valueOf('List-Unsubscribe-Post')]
  if (!isDigest(kind) && kind !== 'welcome' && kind !== 'already')
    return ways === undefined && post === undefined
      ? []
      : ['it can be unsubscribed from before it is subscribed to']
  const [, url = '', more = ''] = /^<(https:\/\/[^<>\s]+)>(.*)$/.exec(ways ?? '') ?? []
  const faults: [boolean, string][] = [
    [!url.startsWith(`${publicUrl}/`), `List-Unsubscribe does not begin with our https address: ${ways}`],
    [post !== 'List-Unsubscribe=One-Click', `List-Unsubscribe-Post is ${post}`],
    [
      /@|%40/.test(url) || url.includes(email.to.split('@')[0] ?? '\0'),
      'the address of the reader is in the link',
    ],
    [more !== '' && !READ_BY_US.test(more), `a way to unsubscribe that nobody reads: ${more}`],
    [!email.html.includes(url), 'the HTML part lacks the link'],
    [!email.text.includes(url), 'the text part lacks the link'],
    [isDigest(kind) && !/^<[\w.-]+>$/.test(valueOf('List-ID') ?? ''), 'no List-Id'],
  ]
  return faults.filter(([wrong]) => wrong).map(([, what]) => what)
}

/** An address with a token in it; without one no program could tell who writes. RFC 5321 §4.5.3.1.1: up to 64 characters. */
const READ_BY_US = /^, <mailto:[a-z\d.-]{1,19}\+[a-z\d]{44}@[a-z\d.-]+>$/

const isDigest = (kind: Mail['kind']): boolean => kind === 'digest' || kind === 'discreet'

function decodedWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, way: string, word: string) =>
      way.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('latin1')
        : word
            .replaceAll('_', ' ')
            .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
    .replace(/[\x80-\xff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString())
}
