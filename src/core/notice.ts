import { plain, previewOf } from './digest-view.ts'
import { checked, type Email, type Letterhead } from './email.ts'
import { compileTemplate } from './mail-merge.ts'

/** The facts of one notice. `id` is random and opaque; `url` is what its button opens. */
export type NoticeFacts = {
  id: string
  kind: 'confirm' | 'already' | 'change-address'
  to: string
  name: string | null
  /** Whether the sender must not name the practice either; no subject or preheader here does. */
  discreet: boolean
  url: string
  unsubscribeUrl: string | null
}

/** What the template of notices may use. */
export type NoticeView = {
  practice: string
  subject: string
  preheader: string
  name: string
  lines: string[]
  button: string
  url: string
  why: string
  unsubscribeUrl: string
  postalAddress: string
  crisisNote: string | null
}

type Wording = Pick<NoticeView, 'subject' | 'preheader' | 'lines' | 'button' | 'why'>

/** The mail of one notice. Throws when a header would hold a line break. */
export function composeNotice(
  template: { html: string; text: string },
  letterhead: Letterhead,
  facts: NoticeFacts,
): Email {
  const view = noticeView(letterhead, facts)
  const oneClick = facts.unsubscribeUrl && {
    'List-Unsubscribe': `<${facts.unsubscribeUrl}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }
  return checked({
    from: facts.discreet ? letterhead.discreetFrom : letterhead.from,
    to: facts.to,
    ...(letterhead.replyTo !== null && { replyTo: letterhead.replyTo }),
    subject: view.subject,
    html: compileTemplate<NoticeView>(template.html, 'html')(view),
    text: compileTemplate<NoticeView>(template.text, 'text')(view),
    headers: { ...oneClick, 'X-Entity-Ref-ID': facts.id },
    tags: [],
  })
}

/** What the template shows of a notice. */
export function noticeView(
  letterhead: Pick<Letterhead, 'practice' | 'postalAddress' | 'crisisNote'>,
  facts: Omit<NoticeFacts, 'discreet'>,
): NoticeView {
  const words = wording(facts.kind, letterhead.practice)
  return {
    ...words,
    preheader: previewOf(words.preheader),
    practice: letterhead.practice,
    name: plain(facts.name ?? ''),
    url: facts.url,
    unsubscribeUrl: facts.unsubscribeUrl ?? '',
    postalAddress: letterhead.postalAddress,
    crisisNote: letterhead.crisisNote,
  }
}

// A subject shows on a locked phone, and the practice's name is in the sender already: none of these says what it is about.
function wording(kind: NoticeFacts['kind'], practice: string): Wording {
  switch (kind) {
    case 'confirm':
      return {
        subject: 'Please confirm your subscription',
        preheader: 'One click, and the weekly mail starts.',
        lines: [
          `Someone, we hope you, asked ${practice} for a weekly mail of new group times at this address.`,
          'If it was you, please confirm. The link works for seven days.',
        ],
        button: 'Confirm my subscription',
        why: 'If it was not you, do nothing: without a confirmation you get no further mail from us.',
      }
    case 'already':
      return {
        subject: 'You are already subscribed',
        preheader: 'Nothing has changed.',
        lines: [
          `Someone, we hope you, asked ${practice} for the weekly mail at this address. You get it already, so nothing has changed.`,
          'This link opens your preferences: topics, time zone, how often, and pauses.',
        ],
        button: 'Open my preferences',
        why: 'If it was not you, there is nothing to do.',
      }
    case 'change-address':
      return {
        subject: 'Please confirm your new address',
        preheader: 'One click, and your mail comes here.',
        lines: [
          `You asked ${practice} to send your weekly mail to this address from now on.`,
          'Please confirm that it is yours. The link works for seven days; until then your mail goes to the old address.',
        ],
        button: 'Use this address',
        why: 'If it was not you, do nothing: without a confirmation nothing changes.',
      }
  }
}
