import type { Exclusion } from '../../../core/audience/exclusion.ts'
import { REASONS } from '../../../core/audience/reasons.ts'
import type { Translator } from '../../../core/words/words.ts'
import type { Tally } from '../../../db/ledger/editions.ts'
import type { OperatorKey } from '../../../templates/operator.ts'

type Words = Translator<OperatorKey>

/** A tally in sentences that add up, and the parts of its bar. */
export function sumOf(tally: Tally, words: Words) {
  const { candidates, submitted, failed, unknown, waiting } = tally
  const skipped = excludedIn(tally)
  const facts: [OperatorKey, number][] = [
    ['editions.sum.skipped', skipped],
    ['editions.sum.failed', failed],
    ['editions.sum.unknown', unknown],
    ['editions.sum.waiting', waiting],
  ]
  return {
    lead: words.t(candidates === 0 ? 'editions.sum.nobody' : 'editions.sum.emailed', {
      submitted,
      candidates,
    }),
    facts: facts.filter(([, n]) => n > 0).map(([key, n]) => words.t(key, { n })),
    done: candidates - waiting,
    candidates,
  }
}

/** Why people got none, the most common reason first. */
export function reasonsOf({ excluded }: Pick<Tally, 'excluded'>, words: Words) {
  return Object.entries(excluded)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, n]) => ({ n, why: reasonIn(reason, words) }))
}

/** A reason of exclusion, after "because". */
const reasonIn = (reason: string, words: Words): string =>
  reason in REASONS ? words.t(`reason.${reason as Exclusion}`) : reason

export const excludedIn = ({ excluded }: Pick<Tally, 'excluded'>): number =>
  Object.values(excluded).reduce((sum, count) => sum + count, 0)
