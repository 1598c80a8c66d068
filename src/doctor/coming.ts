import { type Coming, comingEdition } from '../actions/editions/coming.ts'
import type { Installation } from '../app.ts'
import { sentencesOf } from '../core/review/sentences.ts'
import type { Check } from '../resend/check.ts'
import { operatorWords } from '../templates/operator-words.ts'

/** What is odd about the coming edition, and whether it waits for someone. Nothing if it has not been reviewed yet. */
export async function checkComing(installation: Installation): Promise<Check[]> {
  const coming = await comingEdition(installation)
  const { TEMPLATES_PATH: folder, LOCALE: locale } = installation.config
  const words = await operatorWords({ folder, locale })
  const odd = coming.flags.map((flag): Check => {
    const { what, todo } = sentencesOf(flag, words)
    return { name: 'review', status: 'warn', detail: `${coming.id}: ${what}`, fix: todo }
  })
  return [...odd, ...waiting(coming)]
}

function waiting({ id, state, waits, waitsUntil }: Coming): Check[] {
  const name = 'approval'
  if (!waits) {
    const isReviewed = state === 'clear' || state === 'approved'
    return isReviewed ? [{ name, status: 'ok', detail: `${id} is ${state}, and goes out` }] : []
  }
  const why = state === 'held' ? 'is held' : 'waits for an operator'
  const detail = `${id} ${why}; if nobody approves it by ${waitsUntil.toISOString().slice(0, 16)} UTC, the next edition has its news`
  return [{ name, status: 'warn', detail, fix: `Look at it, then: openseat edition approve ${id}` }]
}
