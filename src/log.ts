import { type DestinationStream, type Logger, pino } from 'pino'
import { withoutAddresses } from './core/redact.ts'

export type { Logger }

/** The log: one JSON line per event on stderr (stdout belongs to results), with every mail address taken out. */
export function openLog(level: string, destination: DestinationStream = process.stderr): Logger {
  const stream = { write: (line: string) => destination.write(withoutAddresses(line)) }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}
