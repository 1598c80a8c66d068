import { type SQL, sql } from '../drizzle.ts'
import { rowsIn, whole, words } from '../fragments.ts'
import { deliveries, editionTally } from '../schema/ledger.ts'
import type { Queries } from '../store.ts'

/**
 * Inside a transaction: runs `change`, which moves deliveries from one state to another, and moves the tally with them.
 * `which` must select the same deliveries before and after, so it must not ask for a state.
 */
export async function tallied<Result>(
  tx: Queries,
  which: SQL,
  change: () => Promise<Result>,
): Promise<Result> {
  await recount(tx, which, '-')
  const result = await change()
  await recount(tx, which, '+')
  return result
}

type Added = { state: string; reason: string | null }

/** Inside a transaction: counts deliveries that were added. */
export async function tallyAdded(
  tx: Queries,
  { editionId, generation }: { editionId: string; generation: number },
  added: readonly Added[],
): Promise<void> {
  const counts = new Map<string, { state: string; reason: string; count: number }>()
  for (const { state, reason } of added) {
    const key = `${state} ${reason}`
    const counted = counts.get(key) ?? { state, reason: state === 'excluded' ? (reason ?? '') : '', count: 0 }
    counted.count += 1
    counts.set(key, counted)
  }
  const rows = rowsIn(tx, [...counts.values()])
  const edition = sql`cast(${editionId} as text), cast(${generation} as bigint)`
  await tx.run(
    sql`${ADD} select ${edition}, ${words('state')}, ${words('reason')}, ${whole('count')} from ${rows} where true ${TO_SUM}`,
  )
}

async function recount(tx: Queries, which: SQL, sign: '-' | '+'): Promise<void> {
  await tx.run(
    sql`${ADD} select edition_id, generation, state, case state when 'excluded' then reason else '' end, ${sql.raw(sign)} count(*)
      from ${deliveries} where ${which} group by 1, 2, 3, 4 ${TO_SUM}`,
  )
}

const ADD = sql`insert into ${editionTally} (edition_id, generation, state, reason, count)`
const TO_SUM = sql`on conflict (edition_id, generation, state, reason) do update set count = edition_tally.count + excluded.count`
