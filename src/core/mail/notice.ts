import { fold, wrap } from '../text/wrap.ts'
import type { Translator } from '../words/words.ts'
import { checked, type Email, senderOf, unsubscribeHeaders, wayByEmail } from './digest.ts'
import { crisisNote, plain, previewOf } from './digest-page.ts'
import { type Letterhead } from './letterhead.ts'
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
 * Whether anybody can cause such an email who knows an address or has an old link. It says nothing that they wrote, has a way
 * to want no more of them, and counts in the limits.
 */
export const byStranger = (kind: NoticeKind): boolean => kind !== 'welcome' && kind !== 'address-changed'

/** The facts of one notice. `id` is random and opaque; `url` is what its button opens. */
export type NoticeFacts = {
  id: string
  kind: NoticeKind
  to: string
  name: string | null
  /** Whether the sender must not name the practice either; no subject or preheader here does. */
  discreet: boolean
  url: string
  /** Null where nobody is subscribed yet. */
  unsubscribeUrl: string | null
  /** Where an email unsubscribes them; null = nowhere. */
  unsubscribeAddress: string | null
  preferencesUrl: string | null
  /** Where the holder of the address asks for no more such emails; null where nobody else can cause one. */
  notMeUrl: string | null
  /** The day of the next edition in the reader's words; only a welcome says it. */
  nextDate: string
}

/** What the template of notices may use. */
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
  postalAddress: string
  crisisNote: string | null
}

/** The mail of one notice. Throws when a header would hold a line break. */
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

/** What the template shows of a notice. No subject says what it is about: it shows on a locked phone. */
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
    postalAddress: plain(letterhead.postalAddress),
    crisisNote: crisisNote(letterhead, translator),
  }
}

/** What the messages of a kind begin with, and what they are told that they are about. */
function wordsOf(kind: NoticeKind) {
  if (kind === 'fresh-data' || kind === 'fresh-forget' || kind === 'fresh-address')
    return ['fresh', kind.slice('fresh-'.length)] as const
  return [kind, null] as const
}
