import { join } from 'node:path'
import type { Doubt, DoubtOptions } from './doubt.ts'
import { guardsOff } from './installation.ts'
import { mondays } from './mondays.ts'
import { startNode, startScratchRedis } from './programs.ts'
import { type Context, plainRow, type Row, type Scenario } from './scenario.ts'
import type { Year, YearOptions } from './year.ts'

const HOUR_MS = 3_600_000

export const scenarios: Scenario[] = [
  {
    name: 'a year in New York',
    group: 'time',
    quick: true,
    run: (context) => year(context, 'a year in New York', ['monday', '09:00', 'America/New_York']),
  },
  {
    name: 'a year of approvals',
    group: 'time',
    quick: true,
    run: (context) =>
      year(context, 'a year of approvals', ['monday', '09:00', 'America/New_York'], { approved: true }),
  },
  {
    name: 'a year where midnight vanishes',
    group: 'time',
    quick: false,
    run: async (context) => [
      ...(await year(context, 'a year, midnights of Santiago', ['sunday', '00:00', 'America/Santiago'])),
      ...(await year(context, 'a year, midnights of Cairo', ['friday', '00:00', 'Africa/Cairo'])),
    ],
  },
  {
    name: 'a key older than 23 hours',
    group: 'time',
    quick: true,
    run: (context) => doubts(context, [['a key older than 23 hours', 0, 24.5 * HOUR_MS, 2]]),
  },
  {
    name: 'a clock an hour off while in doubt',
    group: 'time',
    quick: false,
    run: (context) =>
      doubts(context, [
        ['an hour slow, 23 h 58 min on', -HOUR_MS, (24 - 2 / 60) * HOUR_MS, 0],
        ['an hour slow, 24 h 2 min on', -HOUR_MS, (24 + 2 / 60) * HOUR_MS, 2],
        ['an hour fast, 22 h 30 min on', HOUR_MS, 22.5 * HOUR_MS, 2],
      ]),
  },
  { name: 'Mondays under faketime', group: 'time', quick: false, run: mondays },
]

type Rule = [day: 'sunday' | 'monday' | 'friday', time: string, timeZone: string]

async function year(
  context: Context,
  scenario: string,
  [day, time, timeZone]: Rule,
  { approved } = { approved: false },
): Promise<Row[]> {
  const weekday = ({ sunday: 0, monday: 1, friday: 5 } as const)[day]
  const rule = { weekday, time, timeZone }
  const { answer, problem, seconds } = await inAnotherProcess<YearOptions, Year>(context, 'year.ts', {
    rule,
    from: '2026-01-01',
    readers: 5,
    approved,
  })
  if (answer === null) return [plainRow({ scenario, passed: false, note: problem, seconds })]
  const { slots, jumps, due, once, twice, never, problems } = answer
  const passed = problems.length === 0 && once === due && twice === 0 && never === 0 && slots === 52
  const note = passed
    ? `${slots} slots, five readers${approved ? ' and an operator' : ''}; counted are their emails`
    : problems.slice(0, 4).join('; ')
  return [plainRow({ scenario, faults: jumps, recipients: due, once, twice, never, seconds, passed, note })]
}

type DoubtCase = [scenario: string, jumpMs: number, backAfterMs: number, unknown: number]

async function doubts(context: Context, cases: readonly DoubtCase[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const [scenario, jumpMs, backAfterMs, unknown] of cases) {
    const wish = { jumpMs, backAfterMs, unknown }
    const { answer, problem, seconds } = await inAnotherProcess<DoubtOptions, Doubt>(
      context,
      'doubt.ts',
      wish,
    )
    if (answer === null) {
      rows.push(plainRow({ scenario, passed: false, note: problem, seconds }))
      continue
    }
    const { attempts, problems, ...counts } = answer
    const passed = problems.length === 0
    const resolved = unknown === 0 ? 'the key was good to the end' : 'resolved by reports and by an operator'
    const note = passed ? `${attempts} attempts; ${resolved}` : problems.join('; ')
    rows.push({ scenario, kills: 0, faults: attempts, ...counts, seconds, passed, note })
  }
  return rows
}

/** Runs one of our scripts with a fake clock in a process of its own, where a guard can be removed. */
async function inAnotherProcess<Options extends { folder: string; redis: string }, Answer>(
  context: Context,
  file: string,
  wish: Omit<Options, 'folder' | 'redis'>,
): Promise<{ answer: Answer | null; problem: string; seconds: number }> {
  const folder = join(context.scratch, `${file}-${process.hrtime.bigint()}`)
  const started = performance.now()
  const redis = await startScratchRedis(folder)
  try {
    const options = JSON.stringify({ ...wish, folder, redis: redis.url })
    const program = startNode([join(import.meta.dirname, file), options], {
      cwd: folder,
      env: guardsOff(context.removed),
    })
    const { code } = await program.ended
    const seconds = (performance.now() - started) / 1000
    const problem = `it ended with ${code}: ${program.output().trim().split('\n').slice(-8).join(' ')}`
    return { answer: code === 0 ? (JSON.parse(program.stdout()) as Answer) : null, problem, seconds }
  } finally {
    await redis.close()
  }
}
