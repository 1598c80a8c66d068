/**
 * Why nothing goes out: this database is, or may be, a copy, and the original may have sent more since or still be running.
 * `backup`: it is a file that `openseat backup` or a migration wrote. `older`: the .epoch file or Redis has seen a later
 * state. `unwitnessed`: there is no .epoch file. `moved`: the database or its .epoch file is not the file that was here
 * before. `machine`: it was used on another machine.
 */
export type HoldReason = 'backup' | 'older' | 'unwitnessed' | 'moved' | 'machine'

/** `since`: when it was noticed. `knownThrough`: the database surely has everything up to here. Both ms UTC. */
export type Hold = { reason: HoldReason; since: number; knownThrough: number | null }

/** What was noticed, as the end of a sentence. */
export const HOLD_CLAUSES: Record<HoldReason, string> = {
  backup: 'a backup was put in its place',
  older: 'an older copy was put in its place',
  unwitnessed: 'it was copied or moved here without the .epoch file beside it',
  moved: 'the file is not the one that was here, or was copied here from elsewhere',
  machine: 'it was used on another machine before',
}

/** The sentence that commands, pages, and logs show while nothing goes out. */
export const heldBecause = ({ reason }: Pick<Hold, 'reason'>): string =>
  `nothing goes out, because the database was restored or copied: ${HOLD_CLAUSES[reason]}. "openseat release" shows what would go out`
