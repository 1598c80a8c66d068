import { sql } from '../drizzle.ts'
import type { Store } from '../store.ts'

/** How many emails of an edition failed, or have no certain answer, for one reason. */
export type Trouble = { state: 'failed' | 'unknown'; reason: string; n: number }

const MOST_ROWS = 10_000
const MOST_REASONS = 30

/** Why emails of an edition did not go out, the most common reason first. Of more than 10,000 it looks at the first. */
export async function troublesOf(store: Store, editionId: string): Promise<Trouble[]> {
  return store.read.all<Trouble>(sql`
    select state, coalesce(reason, '') as reason, count(*) as n from (
      select state, reason from deliveries
      where edition_id = ${editionId} and state in ('failed','unknown') limit ${MOST_ROWS}) as troubled
    group by state, reason order by count(*) desc, reason limit ${MOST_REASONS}`)
}
