import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'

/** One row of the torture results, as written by `npm run torture -- --json FILE`. */
export type Row = z.infer<typeof Row>

const Row = z.object({
  scenario: z.string(),
  kills: z.number(),
  faults: z.number(),
  recipients: z.number(),
  once: z.number(),
  twice: z.number(),
  never: z.number(),
  unknown: z.number(),
  passed: z.boolean(),
})

/**
 * The rows in `file`, which is a list of rows or an object with `rows`; none if the file does not exist. Leaves out the row
 * that times pages while a million emails are submitted: it ends before all are submitted.
 */
export function tortureRows(file: string): Row[] {
  if (!existsSync(file)) return []
  const document: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return z
    .union([z.array(Row), z.object({ rows: z.array(Row) }).transform(({ rows }) => rows)])
    .parse(document)
    .filter(({ scenario }) => !scenario.startsWith('pages while'))
}
