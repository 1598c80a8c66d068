import { BadInput } from './core/errors.ts'

// What the torture tests may do to the program: kill it at a point, switch a guard off, shorten a wait. In production
// none of it is obeyed, and nothing here costs more than a comparison.

/**
 * Points at which the torture tests kill the program: before and after everything that must not be half done. `before` a
 * commit is inside its transaction: everything is written, nothing is committed.
 */
export const FAILPOINTS = [
  'before-copy',
  'between-migrations',
  'before-migrate',
  'after-migrate',
  'after-stage',
  'before-import',
  'after-import',
  'before-review',
  'after-review',
  'before-approve',
  'after-approve',
  'after-supersede',
  'before-begin',
  'after-begin',
  'before-verdicts',
  'after-verdicts',
  'before-planned',
  'after-planned',
  'before-claim',
  'after-claim',
  'before-freeze',
  'after-freeze',
  'before-submit',
  'after-submit',
  'before-record',
  'after-record',
  'before-release',
  'after-release',
  'before-close',
  'after-close',
  'before-unknown',
  'after-unknown',
  'before-finish',
  'after-finish',
  'before-resend',
  'after-resend',
  'before-webhook',
  'after-webhook',
] as const

export type Failpoint = (typeof FAILPOINTS)[number]

/** Guards that can be switched off, each to see that a torture scenario notices: test/torture/sabotage.ts says which. */
export const GUARDS = [
  'idempotency-key',
  'claim',
  'frozen-content',
  'whole-freeze',
  'freeze-first',
  'takeover',
  'enqueue-owed',
  'planner-mark',
  'plan-in-chunks',
  'key-age',
  'catch-up-limit',
  'socket-timeout',
  'hold',
  'approval',
  'release-slot',
  'migration-copy',
  'migration-transaction',
  'newer-database',
] as const

export type Guard = (typeof GUARDS)[number]

/** Waits that can be shortened, so that a torture scenario takes seconds where the program takes minutes. */
export const WAITS = [
  'request',
  'lease',
  'retry',
  'sweep',
  'look-after',
  'job-lock',
  'stalled-job',
  'database',
  'first-wave',
] as const

export type Wait = (typeof WAITS)[number]

/** `FAILPOINT=after-claim:2`, `GUARD_OFF=claim,hold`, `WAITS=lease:6000,sweep:2000` (in milliseconds). */
type TestSettings = { [name in 'FAILPOINT' | 'GUARD_OFF' | 'WAITS' | 'NODE_ENV']?: string | undefined }

/** Obeys these settings, except in production, where they are ignored. Throws `BadInput` for an unknown name. */
export function obeyTests(env: TestSettings): void {
  const { FAILPOINT, GUARD_OFF, WAITS: shorter }: TestSettings = env.NODE_ENV === 'production' ? {} : env
  armFailpoint(FAILPOINT)
  guardsOff = new Set(listed(GUARD_OFF).map((name) => known('GUARD_OFF', GUARDS, name)))
  waits = new Map(listed(shorter).map(parseWait))
}

/** False only while a torture test has switched this guard off. */
export const guardOn = (name: Guard): boolean => !guardsOff.has(name)

/** `ms`, unless a torture test shortens this wait. */
export const waitOf = (name: Wait, ms: number): number => waits.get(name) ?? ms

/**
 * Arms one failpoint of this process: `name`, or `name:3` for the third time it is reached. Undefined or empty arms
 * none. Throws `BadInput` for an unknown failpoint.
 */
export function armFailpoint(setting: string | undefined): void {
  armed = setting ? parse(setting) : null
}

/** Kills this process with SIGKILL if this failpoint is armed and was reached the given number of times. */
export function failpoint(name: Failpoint): void {
  if (armed === null || armed.name !== name) return
  armed.passesLeft -= 1
  if (armed.passesLeft === 0) process.kill(process.pid, 'SIGKILL')
}

let armed: { name: Failpoint; passesLeft: number } | null = null

let guardsOff: ReadonlySet<Guard> = new Set()
let waits: ReadonlyMap<Wait, number> = new Map()

const listed = (setting: string | undefined): string[] => (setting ? setting.split(',') : [])

function known<Name extends string>(setting: string, names: readonly Name[], given: string): Name {
  const name = names.find((one) => one === given)
  if (name !== undefined) return name
  throw new BadInput(`${setting}: there is no "${given}". Use ${names.join(', ')}.`)
}

function parseWait(given: string): [Wait, number] {
  const [name = '', ms = ''] = given.split(':')
  if (!/^[1-9]\d*$/.test(ms)) throw new BadInput(`WAITS: write "${name}" as ${name}:2000, in milliseconds.`)
  return [known('WAITS', WAITS, name), Number(ms)]
}

function parse(setting: string): { name: Failpoint; passesLeft: number } {
  const [given, nth = '1'] = setting.split(':')
  const name = FAILPOINTS.find((one) => one === given)
  if (name === undefined || !/^[1-9]\d*$/.test(nth))
    throw new BadInput(
      `FAILPOINT: there is no failpoint "${setting}". Use one of ${FAILPOINTS.join(', ')}. ${FAILPOINTS[0]}:3 means its third time.`,
    )
  return { name, passesLeft: Number(nth) }
}
