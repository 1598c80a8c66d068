import type { App } from '../../../app.ts'
import { topicName } from '../../../core/sessions/topic.ts'
import { zoneTitle } from '../../../core/time/zone-titles.ts'
import { weighed } from '../../../core/weighed.ts'
import { languageOf, type Translator } from '../../../core/words/words.ts'
import type { PersonalData } from '../../../db/people/personal-data.ts'
import type { Topic } from '../../../db/sessions/sessions.ts'

type Row = { label: string; value: string }
type Section = { title: string; rows: Row[] }
type Writer = { translator: Translator; day: (at: number) => string; topics: readonly Topic[] }
type Needs = Pick<App, 'templates'>

/** Everything we hold about a person, in words and in their own time zone; the parts that hold nothing are left out. */
export function dataPage(
  { templates }: Needs,
  data: PersonalData & { retentionDays: number },
  { translator, topics }: Pick<Writer, 'translator' | 'topics'>,
) {
  const { t, locale } = translator
  const timeZone = data.subscriber?.timeZone ?? 'UTC'
  const format = weighed(new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'long', timeStyle: 'short' }))
  const writer = { translator, topics, day: (at: number) => format.format(at) }
  const sections: Section[] = [
    { title: t('page.data.you'), rows: youIn(data, writer, templates.words) },
    { title: t('page.data.choices'), rows: choicesIn(data, writer) },
    { title: t('page.data.emails'), rows: emailsIn(data, writer) },
    { title: t('page.data.reports'), rows: reportsIn(data, writer) },
    { title: t('page.data.record'), rows: recordIn(data, writer) },
  ]
  return {
    title: t('page.freshData.title'),
    zone: zoneTitle(timeZone, translator),
    days: data.retentionDays,
    sections: sections.filter(({ rows }) => rows.length > 0),
  }
}

/** As messages name it: ICU allows no dash there. */
const selector = (name: string): string => name.replaceAll('-', '_')

/** One row for what is known, none for what is not. */
const row = (label: string, value: string | null | undefined): Row[] => (value ? [{ label, value }] : [])

function youIn(
  { subscriber }: PersonalData,
  { translator: { t }, day }: Writer,
  words: App['templates']['words'],
): Row[] {
  if (subscriber === null) return []
  const { status, consentText, consentSource, consentedAt, unsubscribedAt, timeZone, locale } = subscriber
  const language = words[languageOf(locale)]?.language ?? locale
  return [
    ...row(t('page.field.email'), subscriber.email),
    ...row(t('page.field.name'), subscriber.name),
    ...row(t('page.field.zone'), timeZone),
    ...row(t('page.field.language'), language),
    ...row(t('page.data.status'), t('page.data.status.is', { status })),
    ...row(t('page.data.since'), day(subscriber.createdAt)),
    ...row(t('page.data.consent'), consentText),
    ...row(t('page.data.consent.at'), consentedAt === null ? null : day(consentedAt)),
    ...row(t('page.data.consent.source'), consentSource),
    ...row(t('page.data.unsubscribed'), unsubscribedAt === null ? null : day(unsubscribedAt)),
  ]
}

function choicesIn({ subscriber, topics: rows }: PersonalData, { translator, day, topics }: Writer): Row[] {
  if (subscriber === null) return []
  const { t, language } = translator
  const chosen = rows
    .filter((one) => one.chosen)
    .map(({ topic }) => {
      const known = topics.find(({ slug }) => slug === topic)
      return topicName(known?.names, known?.name ?? topic, language)
    })
  const { cadence, discreet, pausedUntil, calendarKey } = subscriber
  const yesNo = (is: boolean) => t('page.data.yes', { is: is ? 'yes' : 'no' })
  return [
    ...row(t('page.field.topics'), chosen.join(', ') || t('page.preferences.topics.all')),
    ...row(t('page.preferences.cadence'), t(`page.preferences.${cadence}`)),
    ...row(t('page.preferences.discreet'), yesNo(discreet)),
    ...row(t('page.data.paused'), pausedUntil === null ? null : day(pausedUntil)),
    ...row(t('page.data.calendar'), yesNo(calendarKey !== null)),
  ]
}

/** The weekly emails, and the others. */
function emailsIn(
  { deliveries, notices, requestedEmails }: PersonalData,
  { translator: { t }, day }: Writer,
): Row[] {
  const weekly = deliveries.map(({ edition, submittedAt, state, reason, report }) => ({
    label: t('page.data.email.weekly', { edition }),
    value: [
      t('page.data.email.state', { state, reason: selector(reason ?? '') }),
      state === 'submitted' && submittedAt !== null ? day(submittedAt) : '',
      report === null ? '' : t('page.data.report', { report }),
    ]
      .filter((part) => part !== '')
      .join(' · '),
  }))
  const others = notices.map(({ kind, createdAt }) => ({
    label: t('page.data.email.notice', { kind: selector(kind) }),
    value: day(createdAt),
  }))
  const requested = requestedEmails.map(({ createdAt }) => ({
    label: t('page.data.email.requested'),
    value: day(createdAt),
  }))
  return [...weekly, ...others, ...requested]
}

function reportsIn({ events }: PersonalData, { translator: { t }, day }: Writer): Row[] {
  return events.map(({ edition, type, detail, at }) => ({
    label: t('page.data.email.weekly', { edition }),
    value: [t('page.data.report', { report: reportOf(type) }), detail ?? '', day(at)]
      .filter((part) => part !== '')
      .join(' · '),
  }))
}

/** `email.delivery_delayed` in the words of `report`. */
const reportOf = (type: string): string =>
  type === 'email.delivery_delayed' ? 'delayed' : type.replace(/^email\./, '')

/** What was done about the person: changes of address, the audit log, and marks that keep emails from them. */
function recordIn(data: PersonalData, { translator: { t }, day }: Writer): Row[] {
  const { addressChanges, audit, suppression, refusedAt, erasedAt } = data
  const changes = addressChanges.map(({ email, createdAt, changedAt }) => ({
    label: t('page.data.moved', { done: changedAt === null ? 'no' : 'yes' }),
    value: `${email} · ${day(changedAt ?? createdAt)}`,
  }))
  const done = audit.map(({ action, detail, at }) => ({
    label: t('page.data.done', { action: selector(action) }),
    value: [day(at), detail ?? ''].filter((part) => part !== '').join(' · '),
  }))
  return [
    ...changes,
    ...done,
    ...row(t('page.data.blocked'), suppression && t('page.data.blocked.why', { reason: suppression.reason })),
    ...row(t('page.data.refused'), refusedAt === null ? null : day(refusedAt)),
    ...row(t('page.data.erased'), erasedAt === null ? null : day(erasedAt)),
  ]
}
