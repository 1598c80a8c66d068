import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'

/** One line of the torture bench's table, as its `--json FILE` holds it. */
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
 * The rows in `file`, be it their list or a document with `rows`; none when there is no such file. Without the one that
 * times pages while a million is mailed: it ends before they are.
 */
export function tortureRows(file: string): Row[] {
  if (!existsSync(file)) return []
  const document: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return z
    .union([z.array(Row), z.object({ rows: z.array(Row) }).transform(({ rows }) => rows)])
    .parse(document)
    .filter(({ scenario }) => !scenario.startsWith('pages while'))
}
