import type { Preview } from '../actions/editions/preview.ts'
import type { Summary } from '../actions/editions/show.ts'
import { labeled, REASONS } from '../core/audience/reasons.ts'
import type { Tally } from '../db/ledger/editions.ts'
import { editionSentences } from './edition-sentence.ts'
import { breakdown, counted, number, table, when } from './layout.ts'
import type { MailFiles } from './preview-files.ts'

/** The status of an edition, for a person. `zone` is the practice's time zone. */
export function summaryText(summary: Summary, zone: string): string {
  const { state, edition, resends, retrying, waitsFor } = summary
  const rows = [
    ['state', state],
    ['due', when(summary.scheduledFor, zone)],
    ...(summary.pauseReason === null
      ? []
      : [[state === 'paused' ? 'paused' : 'reason', summary.pauseReason]]),
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

/** The preview of an edition, for a person. */
export function previewText(
  preview: Preview,
  written: { files: MailFiles | null; page: string | null },
  zone: string,
): string {
  const { edition, already, candidates, recipients, excluded, sessions } = preview
  const title = already
    ? `Edition ${already.id} exists (${already.state}). This is the next one, ${edition.id}, as things stand now:`
    : `Edition ${edition.id}, if it were planned now:`
  const counts = [
    ['due', when(edition.scheduledFor, zone)],
    ['candidates', number(candidates)],
    ['recipients', number(recipients)],
    ['excluded', withParts(candidates - recipients, labeled(excluded))],
    ['sessions', `${number(sessions.length)} can be booked`],
  ]
  const times = sessions.map(({ startsAt, group, therapist, topic, seatsLeft, timeZone }) => [
    when(startsAt, timeZone, edition.scheduledFor),
    group,
    therapist,
    topic,
    seatsLeft === null ? '' : `${seatsLeft} ${seatsLeft === 1 ? 'spot' : 'spots'}`,
  ])
  return [
    title,
    table(counts, '  '),
    ...(times.length > 0 ? ['', table(times, '  ')] : []),
    '',
    mailText(preview, written),
  ].join('\n')
}

function mailText(
  { mail, already }: Preview,
  { files, page }: { files: MailFiles | null; page: string | null },
): string {
  switch (mail.kind) {
    case 'mail':
      return `Wrote ${files?.html}, .txt, .eml and .page.html: "${mail.email.subject}"${page ? `\nAll kinds of readers side by side: ${page}` : ''}`
    case 'excluded':
      return `No email for this reader (${mail.reason}): ${REASONS[mail.reason].present}. No files were written.`
    case 'nobody':
    case 'not-found':
      return already
        ? 'No one would get it yet. No files were written.'
        : 'No one would get it. No files were written.'
  }
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

const withParts = (total: number, parts: Readonly<Record<string, number | undefined>>): string =>
  total === 0 ? '0' : `${number(total)}: ${breakdown(parts)}`
