import type { Measured } from '../measure.ts'

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

export type Goal = { name: string; value: number; unit?: string; atLeast?: number; atMost?: number }

/** One row of the goals: measured value, goal, and whether it was met. */
export function goalRow({ name, value, unit = '', atLeast, atMost }: Goal): string[] {
  const wanted = atLeast === undefined ? `at most ${number(atMost ?? 0)}` : `at least ${number(atLeast)}`
  const met = atLeast === undefined ? value <= (atMost ?? 0) : value >= atLeast
  return [name, number(value) + unit, wanted + unit, met ? 'met' : '**missed**']
}

/** About three significant digits; whole numbers from 100 on. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en')
export const percent = (share: number): string => `${number(100 * share)} %`

export const perSecond = ({ mails, seconds }: Measured): number => mails / seconds
export const perCpuSecond = ({ mails, cpuSeconds }: Measured): number => mails / cpuSeconds
export const peak = ({ peakMegabytes }: Measured): number => peakMegabytes

/** The median of a value over runs; NaN when there are none. */
export function medianOf<One>(runs: readonly One[], value: (run: One) => number): number {
  const sorted = runs.map(value).sort((a, b) => a - b)
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
