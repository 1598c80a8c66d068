/**
 * Why nothing goes out: this database is, or may be, a copy, and another one has gone on since or still runs.
 * `backup`: what `openseat backup` or a migration wrote was put in place. `older`: what stands beside it, or Redis, has
 * seen a later state. `unwitnessed`: nothing stands beside it. `moved`: the file, or the one beside it, is not the one
 * that was here. `machine`: it was used on another machine.
 */
export type HoldReason = 'backup' | 'older' | 'unwitnessed' | 'moved' | 'machine'

/** `since`: when it was noticed. `knownThrough`: the last instant of which the database surely knows. Both ms UTC. */
export type Hold = { reason: HoldReason; since: number; knownThrough: number | null }

/** What was noticed, as a clause for people. */
export const HOLD_CLAUSES: Record<HoldReason, string> = {
  backup: 'a backup was put in its place',
  older: 'an older copy was put in its place',
  unwitnessed: 'it was copied or moved here without the .epoch file beside it',
  moved: 'the file is not the one that was here, or was copied here from elsewhere',
  machine: 'it was used on another machine before',
}

/** The one sentence that every door says while nothing goes out. */
export const heldBecause = ({ reason }: Pick<Hold, 'reason'>): string =>
  `nothing goes out, as the database was restored or copied: ${HOLD_CLAUSES[reason]}. "openseat release" shows what would go out`
