import { typedStart } from './typed-start.ts'

/** Which number of `1/12/2026` is the month. */
export type DateOrder = 'month-first' | 'day-first'

/** A date in numbers alone, with what follows it. */
const NUMERIC = /^(?<one>\d{1,2})(?<mark>[/.-])(?<two>\d{1,2})\k<mark>(?<year>\d{4})(?<rest>.*)$/s

/**
 * What a column of dates says about their order: `known` if only one order is possible, `either` if both are, with one that could be
 * both; `mixed` if some dates need one order and some the other. Dates that are written otherwise say nothing.
 */
export function orderOf(
  starts: Iterable<string>,
): { kind: 'none' } | { kind: 'known'; order: DateOrder } | { kind: 'either' | 'mixed'; example: string } {
  let [month, day, example] = [false, false, '']
  for (const start of starts) {
    const { one = '', two = '' } = NUMERIC.exec(start.trim())?.groups ?? {}
    if (one === '') continue
    if (Number(one) > 12) day = true
    else if (Number(two) > 12) month = true
    else example ||= start.trim()
    if (month && day) return { kind: 'mixed', example: start.trim() }
  }
  if (month || day) return { kind: 'known', order: day ? 'day-first' : 'month-first' }
  return example === '' ? { kind: 'none' } : { kind: 'either', example }
}

/** A start from a spreadsheet as ISO, with its date read in this order; as it is where it is written otherwise. */
export function startIn(start: string, order: DateOrder): string {
  const { one = '', two = '', year, rest = '' } = NUMERIC.exec(start.trim())?.groups ?? {}
  if (one === '') return start
  const [month, day] = order === 'month-first' ? [one, two] : [two, one]
  const read = typedStart(`${month}/${day}/${year}${rest}`)
  return 'local' in read ? read.local : start
}

/** The day that a start means in this order, `December 1`; as it is if it is no date. */
export function dayIn(start: string, order: DateOrder): string {
  const { one = '', two = '' } = NUMERIC.exec(start.trim())?.groups ?? {}
  const [month, day] = order === 'month-first' ? [one, two] : [two, one]
  const date = new Date(Date.UTC(2026, Number(month) - 1, Number(day)))
  return new Intl.DateTimeFormat('en-US', { month: 'long', day: 'numeric', timeZone: 'UTC' }).format(date)
}

/** The name of a column as a spreadsheet has it: `Starts at` is `starts_at`. */
export const columnIn = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')

/** A number as a spreadsheet writes it, `1 000` or ` 8 `; other text stays. */
export const numberIn = (cell: string): string =>
  /^\s*\d[\d\s\u00a0]*$/.test(cell) ? cell.replace(/[\s\u00a0]/g, '') : cell
