import { BadInput } from './core/errors.ts'

/**
 * Points at which the torture tests kill the program: before and after everything that must not be half done. `before` a
 * commit is inside its transaction: everything is written, nothing is committed.
 */
export const FAILPOINTS = [
  'before-migrate',
  'after-migrate',
  'after-stage',
  'before-import',
  'after-import',
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

function parse(setting: string): { name: Failpoint; passesLeft: number } {
  const [given, nth = '1'] = setting.split(':')
  const name = FAILPOINTS.find((known) => known === given)
  if (name === undefined || !/^[1-9]\d*$/.test(nth))
    throw new BadInput(
      `FAILPOINT: there is no failpoint "${setting}". Use one of ${FAILPOINTS.join(', ')}. ${FAILPOINTS[0]}:3 means its third time.`,
    )
  return { name, passesLeft: Number(nth) }
}
