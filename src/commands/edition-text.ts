import type { Summary } from '../actions/editions/show.ts'
import { labeled } from '../core/audience/reasons.ts'
import type { Tally } from '../db/ledger/editions.ts'
import { editionSentences } from './edition-sentence.ts'
import { breakdown, counted, number, table, when } from './layout.ts'

/** The status of an edition, for a person. `zone` is the practice's time zone. */
export function summaryText(summary: Summary, zone: string): string {
  const { state, edition, resends, retrying, waitsFor } = summary
  const rows = [
    ['state', state],
    ['due', when(summary.scheduledFor, zone)],
    ...(summary.pauseReason === null
      ? []
      : [[state === 'paused' ? 'paused' : 'reason', summary.pauseReason]]),
    ...reviewRow(summary, zone),
    ...firstWaveRow(summary, zone),
    ...(summary.held === undefined ? [] : [['held', summary.held]]),
    ['candidates', number(edition.candidates)],
    ['submitted', number(edition.submitted)],
    ['excluded', withParts(excludedIn(edition), labeled(edition.excluded))],
    ['failed', number(edition.failed)],
    ['unknown', number(edition.unknown)],
    ['waiting', number(edition.waiting)],
    ...resends.map((one) => [
      `resend #${one.generation}`,
      `${number(one.submitted)} of ${number(one.candidates)} submitted, ${number(excludedIn(one))} excluded, ${number(one.failed)} failed, ${number(one.unknown)} unknown, ${number(one.waiting)} waiting`,
    ]),
    summary.prunedAt === undefined
      ? [resends.length > 0 ? 'all batches' : 'batches', withParts(summary.batches, summary.batchStates)]
      : ['kept', 'only these totals; who was emailed was removed (RETENTION_DAYS)'],
    ...(retrying === null ? [] : [['retrying', `${counted(retrying.batches, 'batch')}: ${retrying.reason}`]]),
    ...(waitsFor ?? []).map((wait) => ['waits for', waitText(wait, zone)]),
  ]
  return [editionSentences(summary), '', table(rows, '  '), ...fixes(summary)].join('\n')
}

function reviewRow({ review }: Summary, zone: string): string[][] {
  if (!review) return []
  const flags = review.flags.map(({ name }) => name).join(', ')
  const found = review.reviewedAt === null ? [] : [flags === '' ? 'nothing odd' : `flagged ${flags}`]
  const said = review.approvedAt === null ? [] : [`approved ${when(review.approvedAt, zone)}`]
  return [['review', [...found, ...said].join('; ') || 'none']]
}

function firstWaveRow({ firstWave, state }: Summary, zone: string): string[][] {
  if (!firstWave || state === 'cancelled') return []
  const { submitted, reported, passedAt, until } = firstWave
  const known = `${number(submitted)} emails, ${number(reported)} reported`
  if (passedAt !== null) return [['first wave', `${known}; the rest was let go ${when(passedAt, zone)}`]]
  return [
    [
      'first wave',
      until === null
        ? `${known} so far; the rest waits`
        : `${known}; the rest waits, until ${when(until, zone)} at the latest`,
    ],
  ]
}

type Wait = NonNullable<Summary['waitsFor']>[number]

function waitText({ edition, generation, since, batches, recipients }: Wait, zone: string): string {
  const other = generation === 0 ? `edition ${edition}` : `resend #${generation} of edition ${edition}`
  return `${other}: not known to have reached some of the same readers since ${when(since, zone)}; ${counted(batches, 'batch')} with ${counted(recipients, 'recipient')} until then`
}

/** All editions, one per line. `held`: why nothing goes out; null if there is no hold. */
export function summaryTable(summaries: readonly Summary[], held: string | null): string {
  const note = held === null ? '' : `\n\nHeld: ${held}.`
  if (summaries.length === 0)
    return `No editions yet. "openseat edition preview" shows what the first would be.${note}`
  const resent = summaries.some(({ resends }) => resends.length > 0)
  const head = [
    ...['EDITION', 'STATE', 'CANDIDATES', 'SUBMITTED', 'EXCLUDED', 'FAILED', 'UNKNOWN', 'WAITING'],
    ...(resent ? ['RESENDS'] : []),
  ]
  const rows = summaries.map((one) => [
    one.id,
    one.state,
    ...countsOf(one.edition).map(number),
    ...one.resends.map(
      ({ generation, submitted, candidates }) =>
        `#${generation}: ${number(submitted)} of ${number(candidates)} submitted`,
    ),
  ])
  return table([head, ...rows]) + note
}

function fixes({ id, state, failed, unknown, waiting, prunedAt }: Summary): string[] {
  if (state === 'paused') return [`Once fixed: openseat edition resume ${id}`]
  if (state !== 'submitted' || waiting > 0 || prunedAt !== undefined) return []
  return [
    ...(failed > 0 ? [`To send to those that failed: openseat edition resend ${id} --failed`] : []),
    ...(unknown > 0
      ? [`To send to the unknown, some perhaps twice: openseat edition resend ${id} --unknown`]
      : []),
  ]
}

const countsOf = ({ candidates, submitted, excluded, failed, unknown, waiting }: Tally): number[] => [
  ...[candidates, submitted, excludedIn({ excluded }), failed, unknown, waiting],
]

const excludedIn = ({ excluded }: Pick<Summary, 'excluded'>): number =>
  Object.values(excluded).reduce((sum, count) => sum + count, 0)

/** `39: 30 nothing new, 9 paused`. */
export const withParts = (total: number, parts: Readonly<Record<string, number | undefined>>): string =>
  total === 0 ? '0' : `${number(total)}: ${breakdown(parts)}`
