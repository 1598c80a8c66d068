import type { Sabotage } from './scenario.ts'

const AFTER_SUBMIT = 'after-submit, one worker'
const SWEEP_ALONE = 'the sweep alone: killed, and Redis emptied'
const WHOLE_COPY = "last week's copy put in place"

/** Each guard that can be switched off, and what must notice. */
export const sabotages: Sabotage[] = [
  {
    guard: 'idempotency-key',
    removes: 'the idempotency key of a request',
    caughtBy: [AFTER_SUBMIT, 'power cut: unsynced commits are lost'],
  },
  {
    guard: 'claim',
    removes: 'the compare in the compare-and-swap that lets one worker take a batch',
    caughtBy: ['the claim alone: a provider that ignores keys', 'the same minute ten times'],
  },
  {
    guard: 'approval',
    removes: 'that an edition waits for a person',
    caughtBy: ['killed in each waiting state'],
  },
  {
    guard: 'planner-mark',
    removes: 'the mark of the planners, and the index that lets a reader stand once in a generation',
    sql: 'drop index deliveries_identity',
    caughtBy: ['the unique index alone: planners without a mark'],
  },
  {
    guard: 'frozen-content',
    removes: 'the frozen content: a retry looks at the world afresh',
    caughtBy: [AFTER_SUBMIT],
  },
  {
    guard: 'whole-freeze',
    removes: 'that freezing is all or nothing',
    caughtBy: ['before-freeze, one worker'],
  },
  {
    guard: 'freeze-first',
    removes: 'that nothing is submitted before its attempt is on disk',
    // A full disk refuses the claim already; where fsync fails, the claim passes, as it does not wait for the disk.
    caughtBy: ['a failing disk'],
  },
  {
    guard: 'takeover',
    removes: 'that batches whose holder is dead are enqueued',
    caughtBy: [SWEEP_ALONE],
  },
  {
    guard: 'enqueue-owed',
    removes: 'that what the ledger owes is enqueued',
    caughtBy: [SWEEP_ALONE],
  },
  {
    guard: 'plan-in-chunks',
    removes: 'the chunks of planning',
    caughtBy: ['pages while sending'],
  },
  {
    guard: 'key-age',
    removes: 'the end of trust in a key after 23 hours',
    caughtBy: ['a key older than 23 hours'],
  },
  {
    guard: 'catch-up-limit',
    removes: 'the limit to how late a slot is made up for',
    caughtBy: ['Mondays under faketime'],
  },
  {
    guard: 'socket-timeout',
    removes: 'the end of patience with a silent Redis',
    caughtBy: ['a black hole'],
  },
  {
    guard: 'hold',
    removes: 'the look whether the database is a copy',
    caughtBy: [WHOLE_COPY],
  },
  {
    guard: 'release-slot',
    removes: 'that a release records the slot which may have been mailed',
    caughtBy: [WHOLE_COPY],
  },
  {
    guard: 'migration-copy',
    removes: 'the copy before a migration',
    caughtBy: ['the newest migration killed half-way'],
  },
  {
    guard: 'migration-transaction',
    removes: 'the transaction around the migrations',
    caughtBy: ['migrations killed half-way'],
  },
  {
    guard: 'newer-database',
    removes: 'the refusal of a database of a newer release',
    caughtBy: ['a newer database, an older program'],
  },
]
