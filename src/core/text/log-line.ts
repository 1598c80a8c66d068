import { printable } from './printable.ts'

/** One event of the log, as JSON has it. Addresses are out of it already. */
export type LogRecord = Readonly<Record<string, unknown>>

const INFO = 30
const WARN = 40
const ERROR = 50

/**
 * An event as one line for a person at a terminal; null if it is not worth telling. `inDetail` tells every event. `clock`
 * writes a time of day.
 */
export function logLine(record: LogRecord, inDetail: boolean, clock: (at: Date) => string): string | null {
  const { level, msg = '', time } = record
  const tell = Object.hasOwn(TOLD, String(msg)) ? TOLD[String(msg)] : undefined
  const told = tell?.(record, clock)
  if (told === undefined && !inDetail && Number(level) <= INFO && isQuiet(String(msg))) return null
  const said = told ?? inGeneral(record)
  const line = `${clock(new Date(String(time)))}  ${mark(Number(level))}${said}${again(record)}`
  return printable(line).replace(/\s*\n\s*/g, ' ')
}

const mark = (level: number): string => (level >= ERROR ? 'Error: ' : level >= WARN ? 'Warning: ' : '')

const again = ({ repeated }: LogRecord): string =>
  typeof repeated === 'number' && repeated > 0
    ? ` (${repeated} more ${repeated === 1 ? 'time' : 'times'} since the last line)`
    : ''

/** Events of a server that nobody waits for: each request, and where Redis is. */
const isQuiet = (msg: string): boolean =>
  /^(answered|serving |using the Redis|REDIS_URL|private Redis)/.test(msg)

type Teller = (record: LogRecord, clock: (at: Date) => string) => string | undefined

/** Events in words, by their message. What is not here is told by its message and fields. */
const TOLD: Readonly<Record<string, Teller>> = {
  'openseat is running': ({ address, serves, nextEdition }) =>
    [
      'Openseat is running.',
      ...(address ? [`${serves === 'metrics' ? 'Metrics' : 'Pages'}: ${text(address)}`] : []),
      ...(nextEdition ? [`Next edition: ${text(nextEdition)}.`] : []),
    ].join(' '),
  'stopping after current work; signal again to stop now': () =>
    'Stopping after the current work. Press Ctrl-C again to stop now.',
  stopped: () => 'Stopped.',
  'planning an edition': ({ edition, sessions }) =>
    `Edition ${text(edition)}: planning, with ${counted(sessions, 'group time')}.`,
  'batch submitted': ({ edition, batch, submitted, failed }) =>
    `Edition ${text(edition)}: ${counted(submitted, 'email')} submitted to Resend (batch ${text(batch)})${
      Number(failed) > 0 ? `; ${text(failed)} refused, see: openseat edition show ${text(edition)}` : ''
    }.`,
  'edition submitted': ({ edition }) =>
    `Edition ${text(edition)} is finished. To see what became of it: openseat edition show ${text(edition)}`,
  'the provider refuses everything: the edition is paused; fix it, then `edition resume`': ({
    edition,
    reason,
  }) => paused(edition, `Resend refuses everything (${text(reason)})`),
  'the edition is paused: see what went wrong, then `edition resume`': ({ edition, reason }) =>
    paused(edition, text(reason)),
  'no certain answer; the same bytes go out again under the same key': (
    { edition, batch, reason, again },
    clock,
  ) =>
    `Edition ${text(edition)}, batch ${text(batch)}: no certain answer from Resend (${text(reason)}). The same emails go out again at ${clock(new Date(String(again)))} under the same key, so no one gets two.`,
  'notice submitted': ({ kind, state }) =>
    state === 'submitted'
      ? `One email submitted to Resend: ${text(kind).replaceAll('-', ' ')}.`
      : `Resend refused one email: ${text(kind).replaceAll('-', ' ')}.`,
  // The same for an address that is on the list already.
  subscribe: ({ outcome }) =>
    outcome === 'confirm' || outcome === 'already' ? 'Someone asked to subscribe.' : undefined,
  confirm: ({ outcome }) => (outcome === 'confirmed' ? 'Someone confirmed, and is subscribed.' : undefined),
  unsubscribe: ({ outcome }) => (outcome === 'unsubscribed' ? 'Someone unsubscribed.' : undefined),
}

const paused = (edition: unknown, why: string): string =>
  `Edition ${text(edition)} is paused: ${why}. Fix that, then: openseat edition resume ${text(edition)}`

/** Fields that say nothing to a person, or are said elsewhere in the line. */
const UNTOLD = new Set([
  'level',
  'time',
  'msg',
  'pid',
  'hostname',
  'repeated',
  'reason',
  'error',
  'detail',
  'err',
  'edition',
  'batch',
])

/** `Edition 2026-11-23, batch 2: the message: the reason (field: value)`. */
function inGeneral(record: LogRecord): string {
  const { msg = '', edition, batch } = record
  const about = [
    ...(edition === undefined ? [] : [`edition ${text(edition)}`]),
    ...(batch === undefined ? [] : [`batch ${text(batch)}`]),
  ].join(', ')
  const why = reasonIn(record)
  const fields = Object.entries(record)
    .filter(([name]) => !UNTOLD.has(name))
    .map(([name, value]) => `${name}: ${text(value)}`)
  const said = why === '' || String(msg).includes(why) ? String(msg) : `${String(msg)}: ${why}`
  return upperFirst(`${about && `${about}: `}${said}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`)
}

function reasonIn({ reason, error, detail, err }: LogRecord): string {
  const message = typeof err === 'object' && err !== null && 'message' in err ? err.message : undefined
  const found = [reason, error, detail, message].find((one) => typeof one === 'string')
  // The stack of an error follows its first line.
  return typeof found === 'string' ? (found.split('\n', 1)[0] ?? '') : ''
}

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

const counted = (count: unknown, noun: string): string =>
  `${Number(count).toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`

const upperFirst = (said: string): string => said.charAt(0).toUpperCase() + said.slice(1)
