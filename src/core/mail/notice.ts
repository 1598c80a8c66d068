import { fold, wrap } from '../text/wrap.ts'
import { type CrisisView, crisisView } from '../words/crisis.ts'
import type { Expectations } from '../words/expect.ts'
import type { Translator } from '../words/words.ts'
import { checked, type Email, senderOf, unsubscribeHeaders, wayByEmail } from './digest.ts'
import { previewOf } from './digest-opening.ts'
import { plain } from './digest-page.ts'
import { type Letterhead, phoneOf } from './letterhead.ts'
import { compileTemplate } from './mail-merge.ts'

export type NoticeKind =
  | 'confirm'
  | 'welcome'
  | 'already'
  | 'change-address'
  | 'address-changed'
  | 'fresh-data'
  | 'fresh-forget'
  | 'fresh-address'
  | 'fresh-links'

/**
 * Whether a stranger who knows an address or has an old link can cause such an email. These emails contain nothing that the
 * stranger wrote, have a link to stop them, and count toward the limits.
 */
export const byStranger = (kind: NoticeKind): boolean => kind !== 'welcome' && kind !== 'address-changed'

/** The facts of one notice. `id` is random and opaque; `url` is what its button opens. */
export type NoticeFacts = {
  id: string
  kind: NoticeKind
  to: string
  name: string | null
  /** Decides whose crisis line is named. */
  timeZone: string
  /** Whether the sender's name must be neutral too. Subjects and preheaders of notices always are. */
  discreet: boolean
  url: string
  /** Null if the person is not subscribed yet. */
  unsubscribeUrl: string | null
  /** The address that unsubscribes them by email; null = none. */
  unsubscribeAddress: string | null
  preferencesUrl: string | null
  /** The link to stop such emails; null if strangers cannot cause this one. */
  notMeUrl: string | null
  /** The day of the next edition in the reader's language; only for a welcome. */
  nextDate: string
  /** What to expect of a group; only for a welcome. */
  expect?: Expectations | null
}

/** Every variable of the notice templates. */
export type NoticeView = {
  language: string
  practice: string
  logoUrl: string | null
  subject: string
  preheader: string
  name: string
  lines: string[]
  button: string
  url: string
  why: string
  unsubscribeUrl: string
  preferencesUrl: string
  notMeUrl: string
  replyTo: string | null
  /** There is nothing of a notice on our pages. */
  viewUrl: ''
  postalAddress: string
  phone: string | null
  phoneUrl: string | null
  crisis: CrisisView | null
  expect: Expectations | null
}

/** Composes one notice. Throws if a header would contain a line break. */
export function composeNotice(
  template: { html: string; text: string },
  letterhead: Letterhead,
  facts: NoticeFacts,
  translator: Translator,
): Email {
  const view = noticeView(letterhead, facts, translator)
  const { unsubscribeUrl, unsubscribeAddress } = facts
  const oneClick = unsubscribeUrl && unsubscribeHeaders(unsubscribeUrl, wayByEmail(unsubscribeAddress))
  return checked({
    from: senderOf(letterhead, facts.discreet, translator),
    to: facts.to,
    ...(letterhead.replyTo !== null && { replyTo: letterhead.replyTo }),
    subject: view.subject,
    html: compileTemplate<NoticeView>(template.html, 'html')(view, translator),
    text: wrap(
      compileTemplate<NoticeView>(template.text, 'text')({ ...view, name: fold(view.name) }, translator),
    ),
    headers: { ...oneClick, 'X-Entity-Ref-ID': facts.id },
    tags: [],
  })
}

/** The values for the template of a notice. No subject says what it is about: it shows on a locked phone. */
export function noticeView(letterhead: Letterhead, facts: NoticeFacts, translator: Translator): NoticeView {
  const { t } = translator
  const { nextDate } = facts
  const [kind, what] = wordsOf(facts.kind)
  const practice = plain(letterhead.practice)
  const first = { practice, ...(kind === 'welcome' && { date: nextDate }), ...(what && { what }) }
  return {
    language: translator.language,
    subject: t(`notice.${kind}.subject`),
    preheader: previewOf(t(`notice.${kind}.preheader`)),
    lines: [t(`notice.${kind}.line1`, first), t(`notice.${kind}.line2`)],
    button: what ? t('notice.fresh.button', { what }) : t(`notice.${kind}.button`),
    why: t(`notice.${kind}.why`),
    practice,
    logoUrl: letterhead.logoUrl,
    name: plain(facts.name ?? ''),
    url: facts.url,
    unsubscribeUrl: facts.unsubscribeUrl ?? '',
    preferencesUrl: facts.preferencesUrl ?? '',
    notMeUrl: facts.notMeUrl ?? '',
    replyTo: letterhead.replyTo,
    viewUrl: '',
    postalAddress: plain(letterhead.postalAddress),
    ...phoneOf(letterhead),
    crisis: crisisView(letterhead.crisisLine, facts.timeZone, translator),
    expect: facts.expect ?? null,
  }
}

/** The first part of the message keys of a kind, and the `what` that the messages of fresh links need. */
function wordsOf(kind: NoticeKind) {
  if (kind === 'fresh-data' || kind === 'fresh-forget' || kind === 'fresh-address')
    return ['fresh', kind.slice('fresh-'.length)] as const
  return [kind, null] as const
}
