import type { Ledger } from '../app.ts'
import { parseSessionRow, SESSION_COLUMNS } from '../core/records.ts'
import { applySessions, closeStaging, stageSessions, stagingForSessions } from '../db/imports.ts'
import { allTopics } from '../db/sessions.ts'
import { readRecords } from '../read-records.ts'
import { byLine, type ImportResult, refused, stageEntries } from './import-records.ts'

/**
 * Adds and updates sessions from a CSV or JSON file, by `external_id`; sessions that the file does not name stay.
 * All or nothing, unless `skipInvalid` leaves invalid rows out. A file that cannot be read to its end is refused
 * either way.
 */
export async function importSessions(
  { db }: Pick<Ledger, 'db'>,
  file: AsyncIterable<Uint8Array | string>,
  { skipInvalid }: { skipInvalid: boolean },
): Promise<ImportResult> {
  const slugs = new Set((await allTopics(db)).map((topic) => topic.slug))
  const staging = await stagingForSessions(db)
  try {
    const { invalid, duplicates, broken } = await stageEntries(readRecords(file), {
      columns: SESSION_COLUMNS,
      parse: (record) => parseSessionRow(record, slugs),
      stage: (rows) => stageSessions(db, staging, rows),
    })
    const again = duplicates.map(({ line, firstLine }) => ({
      ...{ line, field: 'external_id' },
      message: `is on line ${firstLine} already; keep one of the two rows`,
    }))
    const rejected = byLine([...invalid, ...again])
    if (broken || (rejected.length > 0 && !skipInvalid)) return refused(rejected)
    return { kind: 'imported', report: { ...(await applySessions(db, staging)), rejected } }
  } finally {
    await closeStaging(db, staging)
  }
}
