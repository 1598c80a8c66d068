import type { Year } from '../results.ts'
import { type Goal, number, table, whole } from './tables.ts'

const MILLION = 1_000_000
/** Of 400 days, the default of RETENTION_DAYS. */
const EDITIONS = 58

/** What was measured, and what it comes to for a million readers: that part is multiplied. */
export function yearSection(year: Year): string {
  const { subscribers, kept, megabytes, steps } = year
  const rows = megabytes.map((size, week) => [
    ...[String(week + 1), number(size)],
    week < kept ? 'grows by an edition' : 'the oldest edition was removed',
  ])
  const sorted = steps.toSorted((a, b) => a - b)
  return `## A year of editions

Measured: ${whole(subscribers)} subscribers, ${megabytes.length} weekly editions with two reports of Resend's for each mail, and a retention that keeps
${kept} editions. What is removed leaves room that the next edition fills, so the file stops growing. One edition costs ${whole(perDelivery(year))} bytes a
reader with its reports. A step of removing held the database for ${number(sorted[Math.floor(sorted.length / 2)] ?? 0)} ms (median of ${whole(sorted.length)}; the 99th percentile ${number(sorted[Math.floor(sorted.length * 0.99)] ?? 0)} ms).

${table(['week', 'database MB', ''], rows)}

Multiplied, not measured: a million subscribers who get all ${EDITIONS} editions of 400 days need ${whole((perDelivery(year) * EDITIONS) / 1_000)} GB, and no more in the years after.
\`RETENTION_DAYS=60\` needs ${whole((perDelivery(year) * 9) / 1_000)} GB.`
}

export function yearGoals(year: Year): Goal[] {
  const full = year.megabytes[year.kept] ?? 0
  return [
    {
      name: 'database after weeks of retention / when it first was full',
      value: (year.megabytes.at(-1) ?? 0) / full,
      atMost: 1.02,
    },
    {
      name: `database of 1,000,000 subscribers with 400 days of editions (multiplied)`,
      value: (perDelivery(year) * EDITIONS * MILLION) / 1e9,
      unit: ' GB',
      atMost: 64,
    },
  ]
}

/** Bytes that one more edition takes for each reader, while nothing is removed yet. */
function perDelivery({ megabytes, kept, subscribers }: Year): number {
  return (((megabytes[kept - 1] ?? 0) - (megabytes[0] ?? 0)) * 1e6) / (kept - 1) / subscribers
}
