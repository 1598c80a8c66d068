import { BadInput } from './core/errors.ts'

/**
 * The instants at which the torture bench kills the program: before and after whatever may not be half done. `before`
 * a commit is inside its transaction, when all is written and nothing kept.
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
 * none. Throws when there is no such failpoint.
 */
export function armFailpoint(setting: string | undefined): void {
  armed = setting ? parse(setting) : null
}

/** Kills this process, as a power cut would, when this failpoint is armed and its turn has come. */
export function failpoint(name: Failpoint): void {
  if (armed === null || armed.name !== name) return
  armed.turn -= 1
  if (armed.turn === 0) process.kill(process.pid, 'SIGKILL')
}

let armed: { name: Failpoint; turn: number } | null = null

function parse(setting: string): { name: Failpoint; turn: number } {
  const [given, nth = '1'] = setting.split(':')
  const name = FAILPOINTS.find((known) => known === given)
  if (name === undefined || !/^[1-9]\d*$/.test(nth))
    throw new BadInput(
      `FAILPOINT: there is no failpoint "${setting}"; write one of ${FAILPOINTS.join(', ')}, or its third time as ${FAILPOINTS[0]}:3`,
    )
  return { name, turn: Number(nth) }
}
