import { approveEdition } from '../../src/actions/editions/coming.ts'
import type { SlotRule } from '../../src/core/time/calendar.ts'
import { allEditions } from '../../src/db/ledger/editions.ts'
import { obeyTests } from '../../src/failpoint.ts'
import { sweep } from '../../src/recurring.ts'
import {
  addApprover,
  addNews,
  DAY_MS,
  type Faked,
  HOUR_MS,
  MINUTE_MS,
  openFaked,
  work,
} from './faked-clock.ts'

/** The outcome of a year. `due`: emails that should have gone out; the others count how often they did. */
export type Year = {
  slots: number
  jumps: number
  due: number
  once: number
  twice: number
  never: number
  problems: string[]
}

export type YearOptions = {
  folder: string
  redis: string
  rule: SlotRule
  /** The first day, for example `2026-01-01`. */
  from: string
  readers: number
  /** Each edition waits for an operator, who approves it two hours after its slot. */
  approved: boolean
}

/**
 * Runs through 52 slots of a rule, each with difficulties: two sweeps in the same minute, then a clock that is set back by
 * an hour, then forward. When a slot is due comes from a calendar of its own, which only asks `Intl` for local times.
 */
export async function liveThroughYear(options: YearOptions): Promise<Year> {
  const start = new Date(`${options.from}T12:00:00Z`)
  const faked = await openFaked({ ...options, at: start })
  try {
    if (options.approved) addApprover(faked)
    const expected = datesOf(options.rule, options.from).map((id) => ({
      id,
      at: instantOf(id, options.rule),
    }))
    const problems = await quiet(faked, start, 'before the first slot')
    for (const slot of expected) problems.push(...(await liveThroughSlot(faked, slot, options)))
    problems.push(...(await comparedWith(expected, faked, options)))
    return {
      slots: expected.length,
      jumps: expected.length * 3,
      ...mailsOf(faked, expected, options),
      problems,
    }
  } finally {
    await faked.close()
  }
}

type Due = { id: string; at: Date }

async function liveThroughSlot(faked: Faked, { id, at }: Due, { approved }: YearOptions): Promise<string[]> {
  const after = (ms: number) => new Date(at.getTime() + ms)
  addNews(faked, at)
  if (approved) {
    faked.setClock(after(-DAY_MS)) // the operator hears of it
    await work(faked)
  }
  const problems = await quiet(faked, after(-1000), `a second before ${id}`)
  faked.setClock(at)
  await Promise.all([sweep(faked.app), sweep(faked.app)])
  await work(faked)
  problems.push(...(await quiet(faked, after(-HOUR_MS), `an hour back after ${id}`)))
  problems.push(...(await quiet(faked, after(30_000), `the same minute again in ${id}`)))
  problems.push(...(await quiet(faked, after(HOUR_MS + MINUTE_MS), `an hour on after ${id}`)))
  if (!approved) return problems
  faked.setClock(after(APPROVED_AFTER_MS))
  await approveEdition(faked.app, id)
  await Promise.all([sweep(faked.app), sweep(faked.app)])
  await work(faked)
  return [...problems, ...(await quiet(faked, after(APPROVED_AFTER_MS - HOUR_MS), `an hour back in ${id}`))]
}

/** Sets the clock, runs the worker's tasks, and reports if that planned or sent anything. */
async function quiet(faked: Faked, at: Date, when: string): Promise<string[]> {
  const before = faked.resend.accepted.length + (await allEditions(faked.app.store)).length
  faked.setClock(at)
  await work(faked)
  const after = faked.resend.accepted.length + (await allEditions(faked.app.store)).length
  return after === before ? [] : [`something went out ${when}`]
}

const APPROVED_AFTER_MS = 2 * HOUR_MS

async function comparedWith(
  expected: readonly Due[],
  { app }: Faked,
  { approved }: YearOptions,
): Promise<string[]> {
  const editions = (await allEditions(app.store)).reverse()
  const ids = editions.map(({ id }) => id).join()
  const problems: string[] = []
  if (ids !== expected.map(({ id }) => id).join()) problems.push(`${editions.length} editions: ${ids}`)
  for (const { id, scheduledFor, createdAt, state } of editions) {
    const due = expected.find((slot) => slot.id === id)?.at.getTime()
    if (due === undefined || due !== scheduledFor || createdAt !== due + (approved ? APPROVED_AFTER_MS : 0))
      problems.push(`${id} at ${new Date(createdAt).toISOString()}`)
    if (state !== 'submitted') problems.push(`${id} is ${state}`)
  }
  return problems
}

function mailsOf({ resend }: Faked, expected: readonly Due[], { readers, approved }: YearOptions) {
  const counts = new Map<string, number>()
  for (const { key, to } of resend.accepted) {
    const mail = `${key?.split('/')[2]} ${to.join()}`
    counts.set(mail, (counts.get(mail) ?? 0) + 1)
  }
  const due = expected.length * (readers + (approved ? 1 : 0))
  const once = [...counts.values()].filter((count) => count === 1).length
  return { due, once, twice: counts.size - once, never: Math.max(0, due - counts.size) }
}

/** The 52 local dates of the rule's weekday, starting at `from`. */
function datesOf({ weekday }: SlotRule, from: string): string[] {
  const first = Date.parse(`${from}T00:00:00Z`)
  const days = (weekday - new Date(first).getUTCDay() + 7) % 7 || 7
  return Array.from({ length: 52 }, (_, week) =>
    new Date(first + (days + 7 * week) * DAY_MS).toISOString().slice(0, 10),
  )
}

/** The first minute that shows this local time on this day, or a later time if clocks skip it. */
function instantOf(date: string, { time, timeZone }: SlotRule): Date {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  })
  const wanted = `${date} ${time}`
  const noon = Date.parse(`${date}T${time}:00Z`)
  let at = noon - 15 * HOUR_MS
  while (format.format(at) < wanted) at += 15 * MINUTE_MS
  return new Date(at)
}

if (import.meta.main) {
  obeyTests(process.env)
  console.log(JSON.stringify(await liveThroughYear(JSON.parse(process.argv[2] ?? '') as YearOptions)))
}
