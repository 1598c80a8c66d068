import { formatOccurrence } from '../core/time/occurrences.ts'

/** Formats rows as aligned columns, two spaces apart. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  return rows
    .map((row) =>
      `${indent}${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
    )
    .join('\n')
}

/**
 * `Mon, Nov 23, 9:00 AM EST`: an instant (ms since the epoch, ISO, or Date) in local time of `zone` (IANA). It has the year
 * if it is far from `reference`.
 */
export function when(
  instant: number | string | Date,
  zone: string,
  reference: number | string | Date = instant,
): string {
  const { weekday, date, time, zoneName } = formatOccurrence(
    new Date(instant),
    zone,
    'en',
    new Date(reference),
  )
  return `${weekday}, ${date}, ${time} ${zoneName}`
}

/** `anxiety, grief-and-loss, …` in lines of at most 80 characters; `first` begins the first one. */
export function folded(first: string, words: readonly string[]): string {
  const lines = [first]
  for (const [index, word] of words.entries()) {
    const part = index < words.length - 1 ? `${word},` : word
    const line = `${lines.at(-1)} ${part}`
    if (line.length <= 80) lines[lines.length - 1] = line
    else lines.push(part)
  }
  return lines.join('\n')
}

/** `1,200`. */
export const number = (count: number): string => count.toLocaleString('en-US')

/** `1 batch`, `1,200 batches`. */
export function counted(count: number, noun: string): string {
  const plural = /(ch|s)$/.test(noun) ? `${noun}es` : `${noun}s`
  return `${number(count)} ${count === 1 ? noun : plural}`
}

/** `1 person`, `1,200 people`. */
export const people = (count: number): string => (count === 1 ? '1 person' : `${number(count)} people`)

/** `150 nothing new, 50 paused`, largest count first. */
export function breakdown(counts: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(counts)
    .sort(([, a = 0], [, b = 0]) => b - a)
    .map(([name, count = 0]) => `${number(count)} ${name}`)
    .join(', ')
}
