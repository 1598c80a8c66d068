import type { Resend } from 'resend'
import type { Check } from './check.ts'

/** How many emails the account may submit. `daily` null: as many as it likes in a day. */
type Allowance = { daily: number | null; monthly: number }

/** Of the free plan, which alone counts by day. https://resend.com/docs/knowledge-base/account-quotas-and-limits */
const FREE = { daily: 100, monthly: 3_000 } satisfies Allowance
/** A month may have this many editions. */
const MOST_EDITIONS = 5
const NAME = 'Resend plan'
const NUMBERS = new Intl.NumberFormat('en')

/** Whether the plan has room for an edition to this many readers, as far as Resend tells. `headers`: of any of its answers. */
export async function checkAllowance(resend: Resend, readers: number, headers: Headers): Promise<Check[]> {
  const { data } = await resend.usage.get()
  if (!data) return onFreePlan(headers) ? [compare(FREE, readers)] : []
  return [compare({ daily: data.emails.daily.limit, monthly: data.emails.monthly.limit }, readers)]
}

/** The same for a key that can only send, and so cannot ask. */
export function allowanceUnread(readers: number, headers: Headers): Check[] {
  if (onFreePlan(headers)) return [compare(FREE, readers)]
  if (readers <= FREE.daily) return []
  const detail = `this key cannot see it. The free plan stops at ${FREE.daily} emails a day, and you have ${people(readers)}: see at resend.com/settings/billing that yours has room for them`
  return [{ name: NAME, status: 'ok', detail }]
}

const onFreePlan = (headers: Headers): boolean => headers?.['x-resend-daily-quota'] !== undefined

type Headers = Record<string, string> | null | undefined

function compare({ daily, monthly }: Allowance, readers: number): Check {
  const month = readers * MOST_EDITIONS
  if (daily !== null && readers > daily)
    return {
      name: NAME,
      status: 'warn',
      detail: `stops at ${emails(daily)} a day, and you have ${people(readers)}: an edition to all of them would pause there`,
      fix: 'Change the plan at resend.com/settings/billing before the next edition, or resume the edition each day until it is finished.',
    }
  if (month > monthly)
    return {
      name: NAME,
      status: 'warn',
      detail: `has ${emails(monthly)} a month, and five editions to ${people(readers)} take ${NUMBERS.format(month)}`,
      fix: 'See at resend.com/settings/billing what happens beyond that, and change the plan before an edition pauses.',
    }
  const limits =
    daily === null ? `${emails(monthly)} a month` : `${emails(daily)} a day and ${emails(monthly)} a month`
  return { name: NAME, status: 'ok', detail: `${limits} are enough for ${people(readers)}` }
}

const emails = (count: number): string => `${NUMBERS.format(count)} email${count === 1 ? '' : 's'}`
const people = (count: number): string => `${NUMBERS.format(count)} ${count === 1 ? 'reader' : 'readers'}`
