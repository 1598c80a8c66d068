import { quote } from './fields.ts'

/** A start as someone wrote it: local time to the minute, or what is wrong, continuing the field's name. */
export type TypedStart = { local: string } | { problem: string }

/** The two forms that every message about a start shows. */
export const START_FORMS = '2026-12-01T19:00 or 12/1/2026 7:00 PM'

/**
 * The local date and time that someone means: ISO (`2026-12-01T19:00`), an American date (`12/1/2026 7:00 PM`), or a date with
 * the name of its month (`Tue, Dec 1, 2026, 7 PM`). What could mean two things is a problem, which names the form to write.
 * Whether the day exists is not checked here.
 */
export function typedStart(text: string): TypedStart {
  const iso = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::00)?$/.exec(text)?.[1]
  if (iso) return { local: iso }
  const { day, rest } = daySplitFrom(text) ?? { day: null, rest: '' }
  if (day === null)
    return { problem: `is ${quote(text)}; write the local start like ${START_FORMS}, without a zone` }
  if ('problem' in day) return day
  const time = timeOf(rest, day)
  if ('problem' in time) return { problem: `is ${quote(text)}; ${time.problem}` }
  return { local: `${day.date}T${time.clock}` }
}

/** `american` is the date as one types it; `isIso` dates go with 24 hours, so that `10:00` is the morning. */
type Day = { date: string; american: string; isIso: boolean }

function daySplitFrom(text: string): { day: Day | { problem: string }; rest: string } | null {
  for (const { pattern, read } of DATES) {
    const match = pattern.exec(text)
    if (match) return { day: read(match.groups ?? {}, text), rest: text.slice(match[0].length) }
  }
  return null
}

type Parts = Readonly<Record<string, string | undefined>>

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const MONTH =
  '(?<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?'
const WEEKDAY = '(?:(?<weekday>sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:day)?\\.?,? +)?'
const NUMBER = '(?<day>\\d{1,2})'
const YEAR = '(?<year>\\d{4}|\\d{2}(?!:))'
/** Behind the date comes its end, or what divides it from the time. */
const END = '(?![\\d/.-])'

const DATES: readonly { pattern: RegExp; read: (parts: Parts, text: string) => Day | { problem: string } }[] =
  [
    {
      pattern: form(`${WEEKDAY}(?<year>\\d{4})-(?<month>\\d\\d?)-${NUMBER}`),
      read: (parts, text) => dayOf(parts, text, true),
    },
    { pattern: form(`${WEEKDAY}(?<month>\\d{1,2})/${NUMBER}/${YEAR}`), read: monthFirst },
    { pattern: form(`${WEEKDAY}${MONTH} +${NUMBER}(?:st|nd|rd|th)?,? +${YEAR}`), read: named },
    { pattern: form(`${WEEKDAY}${NUMBER}(?:st|nd|rd|th)?\\.? +(?:of +)?${MONTH},? +${YEAR}`), read: named },
    {
      pattern: form('\\d{1,2}([.-])\\d{1,2}\\1\\d+'),
      read: (_, text) => ({
        problem: `is ${quote(text)}, which could be two dates; write the month first, like ${START_FORMS}`,
      }),
    },
    {
      pattern: new RegExp(`^(?:${WEEKDAY}${MONTH} +\\d{1,2}|\\d{1,2}/\\d{1,2}(?!/))`, 'i'),
      read: (_, text) => ({ problem: `is ${quote(text)}, without a year; write it like ${START_FORMS}` }),
    },
  ]

function form(pattern: string): RegExp {
  return new RegExp(`^${pattern}${END}`, 'i')
}

function monthFirst(parts: Parts, text: string): Day | { problem: string } {
  const { month = '', day = '', year = '' } = parts
  if (Number(month) > 12 && Number(day) <= 12 && year.length === 4)
    return {
      problem: `is ${quote(text)}, but there is no month ${month}; write the month first, like ${day}/${month}/${year} 7:00 PM, or ${START_FORMS.split(' or ')[0]}`,
    }
  return dayOf(parts, text, false)
}

function named(parts: Parts, text: string): Day | { problem: string } {
  const month = MONTHS.indexOf((parts.month ?? '').slice(0, 3).toLowerCase()) + 1
  return dayOf({ ...parts, month: String(month) }, text, false)
}

function dayOf(parts: Parts, text: string, isIso: boolean): Day | { problem: string } {
  const { month = '', day = '', year = '', weekday } = parts
  if (year.length !== 4)
    return { problem: `is ${quote(text)}; write the year with four digits, like ${START_FORMS}` }
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const right = WEEKDAYS[new Date(`${date}T00:00Z`).getUTCDay()]
  if (weekday && right && !right.toLowerCase().startsWith(weekday.toLowerCase()))
    return { problem: `is ${quote(text)}, but that day is a ${right}; correct the weekday or the date` }
  return { date, american: `${Number(month)}/${Number(day)}/${year}`, isIso }
}

const TIME =
  /^(?:,? +(?:(?:at|@) +)?|,)(?<hour>\d{1,2})(?::(?<minute>\d\d)(?::00)?)? ?(?<half>[ap])?(?:\.?m\.?)?$/i

function timeOf(rest: string, { american, isIso }: Day): { clock: string } | { problem: string } {
  const example = `${american} 7:00 PM`
  if (rest.trim() === '') return { problem: `the time is missing; write it like ${example}` }
  const { hour = '', minute, half } = TIME.exec(rest)?.groups ?? {}
  const hasHalf = half !== undefined && /m\.?$/i.test(rest)
  if (hour === '' || (minute === undefined && !hasHalf) || (half !== undefined && !hasHalf))
    return { problem: `write the time like 7:00 PM or 19:00, without a zone: ${example}` }
  const number = Number(hour)
  if (hasHalf) {
    if (number < 1 || number > 12)
      return { problem: `${hour} does not go with AM or PM; write it like ${example}` }
    return clock((number % 12) + (half.toLowerCase() === 'p' ? 12 : 0), minute)
  }
  const couldBeEither = number >= 1 && number <= 11 && !hour.startsWith('0') && !(isIso && hour.length === 2)
  if (couldBeEither)
    return { problem: `say AM or PM: ${american} ${hour}:${minute} AM, or ${american} ${hour}:${minute} PM` }
  return clock(number, minute)
}

const clock = (hour: number, minute = '00') => ({ clock: `${String(hour).padStart(2, '0')}:${minute}` })
