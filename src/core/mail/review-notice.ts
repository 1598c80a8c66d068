import type english from '../../../templates/operator/words/en.json'
import type { Flag } from '../review/flags.ts'
import { sentencesOf } from '../review/sentences.ts'
import { wrap } from '../text/wrap.ts'
import { formatOccurrence, longDay } from '../time/occurrences.ts'
import type { Translator } from '../words/words.ts'
import { checked, type Email, senderOf } from './digest.ts'
import { previewOf } from './digest-opening.ts'
import { plain } from './digest-page.ts'
import type { Letterhead } from './letterhead.ts'
import { compileTemplate } from './mail-merge.ts'
import type { NoticeView } from './notice.ts'

/** What happens to the edition if nobody does anything. `going`: it is being sent already. */
export type Outlook = 'goes' | 'approved' | 'going' | 'waits' | 'held'

/** The facts of an email to an operator about a coming edition. None is about a reader. */
export type ReviewFacts = {
  id: string
  to: string
  editionId: string
  at: Date
  timeZone: string
  /** Whether it is due already. */
  isDue: boolean
  outlook: Outlook
  flags: readonly Flag[]
  counts: { recipients: number; candidates: number; news: number } | null
  /** Until when it waits. */
  until: Date
  /** Where Today is. */
  url: string
}

type Words = Translator<keyof typeof english>

/** Composes the email to an operator. `words` are the operators', `translator` has those of the template. */
export function composeReviewNotice(
  template: { html: string; text: string },
  letterhead: Letterhead,
  facts: ReviewFacts,
  { words, translator }: { words: Words; translator: Translator },
): Email {
  const view = reviewView(letterhead, facts, words)
  return checked({
    from: senderOf(letterhead, false, translator),
    to: facts.to,
    ...(letterhead.replyTo !== null && { replyTo: letterhead.replyTo }),
    subject: view.subject,
    html: compileTemplate<NoticeView>(template.html, 'html')(view, translator),
    text: wrap(compileTemplate<NoticeView>(template.text, 'text')(view, translator)),
    headers: { 'X-Entity-Ref-ID': facts.id },
    tags: [],
  })
}

function reviewView(letterhead: Letterhead, facts: ReviewFacts, words: Words): NoticeView {
  const { t } = words
  const when = whenIn(words, facts.timeZone)
  const due = { id: facts.editionId, ...when(facts.at) }
  const until = when(facts.until)
  return {
    ...NOTHING,
    language: words.language,
    subject: t(`review.mail.subject.${subjectOf(facts)}`, { day: due.day }),
    preheader: previewOf(t('review.mail.preheader', due)),
    lines: [
      facts.counts === null
        ? t('review.mail.uncounted', due)
        : t('review.mail.facts', { ...due, ...facts.counts }),
      ...(facts.flags.length === 0 ? [t('review.mail.clear')] : []),
      ...facts.flags.map((flag) => plain(t('review.mail.flag', sentencesOf(flag, words)))),
      t(`review.mail.${facts.outlook}`, { until: `${until.day}, ${until.time}` }),
    ],
    button: t('review.mail.button'),
    why: t('review.mail.why', { practice: plain(letterhead.practice) }),
    practice: plain(letterhead.practice),
    logoUrl: letterhead.logoUrl,
    url: facts.url,
    postalAddress: plain(letterhead.postalAddress),
  }
}

function subjectOf({ outlook, flags, isDue }: ReviewFacts): 'goes' | 'odd' | 'waits' | 'going' {
  if (outlook === 'going') return 'going'
  if (outlook === 'goes' || outlook === 'approved') return flags.length > 0 ? 'odd' : 'goes'
  return flags.length > 0 && !isDue ? 'odd' : 'waits'
}

const whenIn =
  ({ locale }: Words, timeZone: string) =>
  (at: Date) => {
    const { time, zoneName } = formatOccurrence(at, timeZone, locale)
    return { day: longDay(at, timeZone, locale), time: `${time} ${zoneName}` }
  }

/** What is for readers alone. */
const NOTHING = {
  name: '',
  unsubscribeUrl: '',
  preferencesUrl: '',
  notMeUrl: '',
  replyTo: null,
  viewUrl: '',
  phone: null,
  phoneUrl: null,
  crisis: null,
  expect: null,
} as const
