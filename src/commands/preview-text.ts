import type { Preview } from '../actions/editions/preview.ts'
import type { PastMail, PastPreview } from '../actions/editions/preview-past.ts'
import type { Exclusion } from '../core/audience/exclusion.ts'
import { labeled, REASONS } from '../core/audience/reasons.ts'
import type { Offer } from '../core/sessions/offers.ts'
import { withParts } from './edition-text.ts'
import { number, table, when } from './layout.ts'
import type { MailFiles } from './preview-files.ts'

/** The preview of an edition, for a person. */
export function previewText(
  preview: Preview,
  written: { files: MailFiles | null; page: string | null },
  zone: string,
): string {
  const { edition, firstDue, candidates, recipients, excluded, sessions } = preview
  const counts = [
    firstDue ? ['first due', when(firstDue.scheduledFor, zone)] : ['due', when(edition.scheduledFor, zone)],
    ['candidates', number(candidates)],
    ['recipients', number(recipients)],
    ['excluded', withParts(candidates - recipients, labeled(excluded))],
    ['sessions', `${number(sessions.length)} can be booked`],
  ]
  return [
    titleOf(preview),
    table(counts, '  '),
    ...timesOf(sessions, edition.scheduledFor),
    '',
    mailText(preview, written),
  ].join('\n')
}

function titleOf({ edition, already, firstDue }: Preview): string {
  if (firstDue)
    return `There has been no edition yet. If you ran "openseat edition send" now, this would be the first, ${edition.id}:`
  return already
    ? `Edition ${already.id} exists (${already.state}). This is the next one, ${edition.id}, as things stand now:`
    : `Edition ${edition.id}, if it were planned now:`
}

function timesOf(sessions: readonly Offer[], reference: string): string[] {
  const rows = sessions.map(({ startsAt, group, therapist, topic, seatsLeft, timeZone }) => [
    when(startsAt, timeZone, reference),
    group,
    therapist,
    topic,
    seatsLeft === null ? '' : `${seatsLeft} ${seatsLeft === 1 ? 'spot' : 'spots'}`,
  ])
  return rows.length > 0 ? ['', table(rows, '  ')] : []
}

/** A past edition, for a person. `oneReader`: its email is that of a reader who was named. */
export function pastPreviewText(
  { edition, sessions, layout, mail }: PastPreview,
  { files, oneReader }: { files: MailFiles | null; oneReader: boolean },
  zone: string,
): string {
  const facts = [
    ['due', when(edition.scheduledFor, zone)],
    ['state', edition.state],
    ['sessions', `${number(sessions.length)} when it was planned`],
  ]
  const reader = oneReader
    ? 'The sessions are those that were new to this reader then, by their topics, time zone, and language of today.'
    : 'It is the email of someone who follows every topic and got the edition before.'
  const look =
    layout === 'then'
      ? 'Layout and words are those of that time.'
      : 'Layout and words are those of today, because those of that time are not kept any more.'
  const ending = mail.kind === 'mail' ? [wrote(files, mail.email.subject), reader, look] : [noMail(mail)]
  return [
    `Edition ${edition.id}, as it was:`,
    table(facts, '  '),
    ...timesOf(sessions, edition.scheduledFor),
    '',
    ...ending,
  ].join('\n')
}

function noMail(mail: Exclude<PastMail, { kind: 'mail' }>): string {
  const none = 'No files were written.'
  switch (mail.kind) {
    case 'excluded': {
      const known = Object.hasOwn(REASONS, mail.reason) && REASONS[mail.reason as Exclusion].past
      return `This reader got no email (${mail.reason})${known ? `: ${known}` : ''}. ${none}`
    }
    case 'removed':
      return `Who was emailed this edition was removed (RETENTION_DAYS), so this reader's email is not known. ${none}`
    case 'lost':
      return `Nothing of it is in the topics that this reader has today, so their email cannot be shown. ${none}`
    case 'no-record':
    case 'not-found':
      return `This reader has no record in this edition. ${none}`
    case 'nobody':
      return `It had nothing to show. ${none}`
  }
}

const wrote = (files: MailFiles | null, subject: string): string =>
  `Wrote ${files?.html}, .txt, .eml, and .page.html: "${subject}"`

function mailText(
  { mail }: Preview,
  { files, page }: { files: MailFiles | null; page: string | null },
): string {
  switch (mail.kind) {
    case 'mail':
      return `${wrote(files, mail.email.subject)}${page ? `\nAll kinds of readers side by side: ${page}` : ''}`
    case 'excluded':
      return `No email for this reader (${mail.reason}): ${REASONS[mail.reason].present}. No files were written.`
    case 'nobody':
    case 'not-found':
      return 'No one would get it yet. No files were written.'
  }
}
