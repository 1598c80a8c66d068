import type { Summary } from '../actions/editions/show.ts'
import { labeled } from '../core/audience/reasons.ts'
import type { Tally } from '../db/ledger/editions.ts'
import { breakdown, number, people } from './layout.ts'

/**
 * How an edition stands, in sentences: `211 of 250 people were emailed. 39 were skipped: 30 nothing new, 9 paused.` "Emailed"
 * means that the provider accepted the email. Each resend has a line of its own.
 */
export function editionSentences({ id, state, edition, resends }: Summary): string {
  const first =
    state === 'planning'
      ? `Edition ${id} is still being planned, for ${people(edition.candidates)} so far.`
      : `Edition ${id}${STATES[state]}: ${outcome(edition)}`
  return [first, ...resends.map((one) => `Resend #${one.generation}: ${outcome(one)}`)].join('\n')
}

const STATES: Record<Exclude<Summary['state'], 'planning'>, string> = {
  submitting: '',
  submitted: '',
  paused: ' is paused',
  cancelled: ' was cancelled',
}

function outcome({ candidates, submitted, excluded, failed, unknown, waiting }: Tally): string {
  if (candidates === 0) return 'there was no one to email.'
  const skipped = Object.values(excluded).reduce((sum, count) => sum + count, 0)
  const soFar = waiting > 0 ? ' so far' : ''
  return [
    `${number(submitted)} of ${people(candidates)} ${was(candidates)} emailed${soFar}.`,
    skipped > 0 && `${number(skipped)} ${was(skipped)} skipped: ${breakdown(labeled(excluded))}.`,
    failed > 0 && `${number(failed)} failed.`,
    unknown > 0 && `For ${number(unknown)}, no certain answer came: the email may have been sent.`,
    waiting > 0 && `${number(waiting)} ${waiting === 1 ? 'is' : 'are'} waiting.`,
  ]
    .filter((part) => part !== false)
    .join(' ')
}

const was = (count: number): string => (count === 1 ? 'was' : 'were')
