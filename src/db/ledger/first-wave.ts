import { waitOf } from '../../failpoint.ts'
import { and, asc, eq, sql } from '../drizzle.ts'
import { batches, editions, UNFINISHED } from '../schema/ledger.ts'
import type { Queries, Store } from '../store.ts'

/** So many recipients go first, or one in a hundred, whichever is more. */
const LEAST_FIRST = 20
const ONE_IN = 100
/** The first batches are small, so that the first wave is not much larger than it should be. */
const SMALL_BATCHES = 5
const SMALL_SIZE = 20
const BATCH_SIZE = 100

/** From when on the rest goes anyway, ms after the first wave was submitted. */
const longestWait = (): number => waitOf('first-wave', 10 * 60_000)

/** How many recipients the batch of this number takes. */
export const batchSize = (number: number, wave: boolean): number =>
  wave && number <= SMALL_BATCHES ? SMALL_SIZE : BATCH_SIZE

/** Inside a transaction: how many of an edition's batches are its first wave; null where that would be all of them. */
export async function firstWaveOf(tx: Queries, editionId: string): Promise<number | null> {
  const rows = await tx
    .select({ number: batches.number, size: batches.size })
    .from(batches)
    .where(and(eq(batches.editionId, editionId), eq(batches.generation, 0)))
    .orderBy(asc(batches.number))
    .all()
  const recipients = rows.reduce((sum, { size }) => sum + size, 0)
  const wanted = Math.max(LEAST_FIRST, Math.ceil(recipients / ONE_IN))
  let first = 0
  for (const { number, size } of rows) {
    first += size
    if (first >= wanted) return number < rows.length ? number : null
  }
  return null
}

/** A batch that does not wait for the first wave; `e` is its edition. */
export const NOT_BEHIND_WAVE = sql`(${batches.generation} > 0 or e.wave_batches is null or e.wave_passed_at is not null
  or ${batches.number} <= e.wave_batches)`

const IN_WAVE = sql`b.edition_id = editions.id and b.generation = 0 and b.number <= editions.wave_batches`
const REPORTED = sql`d.report in ('delivered','bounced','complained','suppressed','failed')`

/**
 * Lets the rest of editions go whose first wave has ended, once half of it was reported or ten minutes passed since it was
 * submitted. One update, so that it happens once, however many ask. Returns their ids.
 */
export async function passFirstWaves(store: Store, now: Date): Promise<string[]> {
  const waiting = sql`${editions.state} = 'submitting' and ${editions.pausedAt} is null
    and ${editions.waveBatches} is not null and ${editions.wavePassedAt} is null`
  const some = await store.read.get(sql`select 1 as one from ${editions} where ${waiting} limit 1`)
  if (some === undefined) return []
  const latest = now.getTime() - longestWait()
  const passed = store.write((tx) =>
    tx
      .update(editions)
      .set({ wavePassedAt: now.getTime() })
      .where(
        sql`${waiting} and not exists (select 1 from batches b where ${IN_WAVE} and b.state in ${sql.raw(UNFINISHED)})
          and ((select coalesce(max(b.submitted_at), 0) from batches b where ${IN_WAVE}) <= ${latest}
            or (select 2 * count(case when ${REPORTED} then 1 end) >= count(*) from deliveries d
              join batches b on b.id = d.batch_id where ${IN_WAVE} and d.state = 'submitted'))`,
      )
      .returning({ id: editions.id })
      .all(),
  )
  return (await passed).map(({ id }) => id)
}

/** How the first wave of an edition stands. `until`: when the rest goes at the latest; null while the wave is not out. */
export type FirstWave = {
  submitted: number
  reported: number
  waiting: number
  passedAt: number | null
  until: number | null
}

/** The first wave of an edition; null if it has none. */
export async function firstWave({ read }: Store, editionId: string): Promise<FirstWave | null> {
  const edition = await read
    .select({ passedAt: editions.wavePassedAt, batches: editions.waveBatches })
    .from(editions)
    .where(eq(editions.id, editionId))
    .get()
  if (!edition || edition.batches === null) return null
  const row = await read.get<{
    submitted: number
    reported: number
    waiting: number
    last: number | null
  }>(sql`
    select count(case when d.state = 'submitted' then 1 end) as submitted,
      count(case when d.state = 'submitted' and ${REPORTED} then 1 end) as reported,
      count(case when d.state = 'waiting' then 1 end) as waiting, max(b.submitted_at) as last
    from batches b join deliveries d on d.batch_id = b.id
    where b.edition_id = ${editionId} and b.generation = 0 and b.number <= ${edition.batches}`)
  const isOut = row.waiting === 0 && row.last !== null
  return {
    ...{ submitted: row.submitted, reported: row.reported, waiting: row.waiting, passedAt: edition.passedAt },
    until: isOut ? Number(row.last) + longestWait() : null,
  }
}

/** Inside a transaction: an operator lets the rest go, after what was reported of the first wave had paused it. */
export const passedByHand = (now: Date) =>
  sql`case when ${editions.waveBatches} is not null then coalesce(${editions.wavePassedAt}, ${now.getTime()}) end`

/** An edition whose first wave is not judged yet. */
export const inFirstWave = ({
  waveBatches,
  wavePassedAt,
}: Pick<typeof editions.$inferSelect, 'waveBatches' | 'wavePassedAt'>): boolean =>
  waveBatches !== null && wavePassedAt === null
