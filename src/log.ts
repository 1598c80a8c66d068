import { type DestinationStream, type LogFn, type Logger, pino } from 'pino'
import { withoutAddresses } from './core/redact.ts'

export type { Logger }

const REPEATS_EVERY_MS = 60_000
const LONG_LINE = 8_192
const WARN = 40
const ERROR = 50
const HIDDEN = ['email', 'name', 'to', 'person', 'subscriber']

/**
 * The log: one JSON line per event on stderr (stdout belongs to results). Every mail address is taken out of the line,
 * and so are fields that hold a person. A warning or error that repeats is told at once and from then on once in
 * `everyMs`, with how often it came (`repeated`).
 */
export function openLog(
  level: string,
  destination: DestinationStream = process.stderr,
  everyMs = REPEATS_EVERY_MS,
): Logger {
  const stream = { write: (line: string) => destination.write(redacted(line)) }
  const redact = { paths: HIDDEN.flatMap((field) => [field, `*.${field}`]), censor: '[hidden]' }
  const hooks = { logMethod: sparing(everyMs) }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact, hooks }, stream)
}

// Value by value: within the line a backslash before a quote would go with the address, and the line be no JSON.
function redacted(line: string): string {
  if (!/@|%40|\\u0040|params: /i.test(line) && line.length < LONG_LINE) return line
  const clean = (_key: string, value: unknown) =>
    typeof value === 'string' ? withoutAddresses(value) : value
  return `${JSON.stringify(JSON.parse(line), clean)}\n`
}

/** A line that was just told: how often it has come again since, and how to tell that. */
type Told = { repeated: number; tell: (repeated: number) => void }

// A Redis that is away or a full disk raises thousands of errors a second, and a log that fills the disk is one more.
function sparing(everyMs: number) {
  const told = new Map<string, Told>()
  const lookAgain = (kind: string): void => {
    setTimeout(() => {
      const line = told.get(kind)
      told.delete(kind)
      if (!line || line.repeated === 0) return
      told.set(kind, { ...line, repeated: 0 })
      line.tell(line.repeated)
      lookAgain(kind)
    }, everyMs).unref()
  }
  return function (this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    if (level < WARN) return method.apply(this, args)
    const { fields, rest } = partsOf(args)
    const kind = kindOf(level, { ...this.bindings(), ...fields }, rest[0])
    const tell = (repeated: number) => method.apply(this, [{ ...fields, repeated }, ...rest] as never)
    const line = told.get(kind)
    told.set(kind, { repeated: line ? line.repeated + 1 : 0, tell })
    if (line) return
    lookAgain(kind)
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

/** What makes two lines the same: the message and its reason, numbers aside; of an error also what it is about. */
function kindOf(level: number, fields: Fields, message: unknown): string {
  const { reason, error, err, edition, batch, notice } = fields
  const why =
    [reason, error, err instanceof Error ? err.message : ''].find((text) => typeof text === 'string') ?? ''
  const about = level >= ERROR ? [edition, batch, notice] : []
  return [level, message, why.slice(0, 120).replace(/[\da-f-]{8,}|\d+/g, '#'), ...about].join('|')
}
