import { type DestinationStream, type LogFn, type Logger, pino } from 'pino'
import { type LogRecord, logLine } from './core/text/log-line.ts'
import { withoutAddresses } from './core/text/redact.ts'

export type { Logger }

const REPEATS_EVERY_MS = 60_000
const LONG_LINE = 8_192
const WARN = 40
const ERROR = 50
const HIDDEN = ['email', 'name', 'to', 'person', 'subscriber']

type Output = DestinationStream & { isTTY?: boolean }

/**
 * The log on stderr, one line per event: JSON, or on a terminal words for the person there. stdout is for results. Email
 * addresses are removed from each line, and fields that hold a person are hidden. Repeated warnings and errors are throttled:
 * the first is logged at once, then one per `everyMs` with the count (`repeated`).
 */
export function openLog(level: string, output: Output = process.stderr, everyMs = REPEATS_EVERY_MS): Logger {
  const destination = output.isTTY ? forPeople(output, ['debug', 'trace'].includes(level)) : output
  const stream = { write: (line: string) => destination.write(redacted(line)) }
  const redact = { paths: HIDDEN.flatMap((field) => [field, `*.${field}`]), censor: '[hidden]' }
  const hooks = { logMethod: throttleRepeats(everyMs) }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact, hooks }, stream)
}

/** Writes each JSON line as a sentence, with the time of day on this machine. */
function forPeople(output: DestinationStream, inDetail: boolean): DestinationStream {
  const format = new Intl.DateTimeFormat('en-US', { timeStyle: 'medium' })
  const clock = (at: Date) => format.format(at).replace('\u202f', ' ')
  return {
    write(json) {
      const line = logLine(JSON.parse(json) as LogRecord, inDetail, clock)
      if (line !== null) output.write(`${line}\n`)
    },
  }
}

// Value by value: in the whole line, a backslash before a quote would be removed with the address and break the JSON.
function redacted(line: string): string {
  if (!/@|%40|\\u0040|params: /i.test(line) && line.length < LONG_LINE) return line
  const clean = (_key: string, value: unknown) =>
    typeof value === 'string' ? withoutAddresses(value) : value
  return `${JSON.stringify(JSON.parse(line), clean)}\n`
}

/** How often a line repeated since it was last logged, and how to log it with that count. */
type Repeats = { count: number; log: (count: number) => void }

// An unreachable Redis or a full disk raises thousands of errors a second. Logging them all would fill the disk.
function throttleRepeats(everyMs: number) {
  const repeatsByKind = new Map<string, Repeats>()
  const flushRepeats = (kind: string): void => {
    setTimeout(() => {
      const repeats = repeatsByKind.get(kind)
      repeatsByKind.delete(kind)
      if (!repeats || repeats.count === 0) return
      repeatsByKind.set(kind, { ...repeats, count: 0 })
      repeats.log(repeats.count)
      flushRepeats(kind)
    }, everyMs).unref()
  }
  return function (this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    if (level < WARN) return method.apply(this, args)
    const { fields, rest } = partsOf(args)
    const kind = kindOf(level, { ...this.bindings(), ...fields }, rest[0])
    const log = (repeated: number) => method.apply(this, [{ ...fields, repeated }, ...rest] as never)
    const earlier = repeatsByKind.get(kind)
    repeatsByKind.set(kind, { count: earlier ? earlier.count + 1 : 0, log })
    if (earlier) return
    flushRepeats(kind)
    method.apply(this, args)
  }
}

function partsOf([first, ...rest]: unknown[]): { fields: Fields; rest: unknown[] } {
  if (first instanceof Error)
    return { fields: { err: first }, rest: rest.length > 0 ? rest : [first.message] }
  return typeof first === 'object' && first !== null
    ? { fields: first as Fields, rest }
    : { fields: {}, rest: [first, ...rest] }
}

type Fields = Record<string, unknown>

/**
 * Lines of the same kind repeat one another. The kind is level, message, and reason with the numbers left out. Errors
 * also keep their edition, batch, and notice, so that each failed batch is logged.
 */
function kindOf(level: number, fields: Fields, message: unknown): string {
  const { reason, error, err, edition, batch, notice } = fields
  const why =
    [reason, error, err instanceof Error ? err.message : ''].find((text) => typeof text === 'string') ?? ''
  const about = level >= ERROR ? [edition, batch, notice] : []
  return [level, message, why.slice(0, 120).replace(/[\da-f-]{8,}|\d+/g, '#'), ...about].join('|')
}
