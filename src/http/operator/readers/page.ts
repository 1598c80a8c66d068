import type { readerSeen } from '../../../actions/subscribers/desk.ts'
import type { App } from '../../../app.ts'
import type { Translator } from '../../../core/words/words.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { dayOf, whenIn } from '../when.ts'

type Seen = NonNullable<Awaited<ReturnType<typeof readerSeen>>>
type Words = Translator<OperatorKey>

const SOURCES: Readonly<Record<string, OperatorKey>> = {
  '/confirm': 'reader.source.confirm',
  '/change-address': 'reader.source.change-address',
  import: 'reader.source.import',
  operator: 'reader.source.operator',
}
const STATUSES: Readonly<Record<string, OperatorKey>> = {
  active: 'reader.status.active',
  pending: 'reader.status.pending',
  unsubscribed: 'reader.status.unsubscribed',
}

/** What the page says of one person, in the practice's time zone. */
export function readerView(
  { slotRule }: App['config'],
  { subscriber, discreet, explanations }: Seen,
  words: Words,
  now: Date,
) {
  const when = (instant: string | null) => instant && whenIn(instant, slotRule.timeZone, words)
  const isPaused = subscriber.pausedUntil !== null && Date.parse(subscriber.pausedUntil) > now.getTime()
  const { status, consent, suppressed } = subscriber
  const statusKey = STATUSES[status]
  const source = consent.source === null ? undefined : SOURCES[consent.source]
  return {
    email: subscriber.email,
    name: subscriber.name,
    status: statusKey ? words.t(statusKey) : status,
    suppressed: suppressed && words.t(`suppressions.reason.${suppressed}`),
    history: explanations.map(({ edition, sentence }) => ({
      id: edition,
      day: dayOf(edition, words),
      url: `/editions/${edition}`,
      sentence,
    })),
    facts: [
      ['reader.topics', subscriber.topics?.join(', ') ?? words.t('reader.topics.all')],
      [
        'reader.cadence',
        words.t(subscriber.cadence === 'monthly' ? 'reader.cadence.monthly' : 'reader.cadence.weekly'),
      ],
      ['reader.paused-until', isPaused ? when(subscriber.pausedUntil) : null],
      ['reader.discreet', discreet ? words.t('reader.discreet.yes') : null],
      ['reader.zone', subscriber.timeZone],
      [
        'reader.language',
        new Intl.DisplayNames(words.locale, { type: 'language' }).of(subscriber.locale) ?? '',
      ],
      ['reader.unsubscribed-at', when(subscriber.unsubscribedAt)],
    ].flatMap(([key, value]) => (value == null ? [] : [{ name: words.t(key as OperatorKey), value }])),
    consent: {
      text: consent.text ?? words.t('reader.consent.none'),
      source: source ? words.t(source) : consent.source,
      at: when(consent.at),
    },
    canPause: status === 'active' && !isPaused,
    canResume: status === 'active' && isPaused,
    canUnsubscribe: status !== 'unsubscribed',
    canResubscribe: status === 'unsubscribed',
    canResend: status === 'active' && suppressed === null,
  }
}
