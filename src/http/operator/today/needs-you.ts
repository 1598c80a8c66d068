import type { Coming } from '../../../actions/editions/coming.ts'
import type { App } from '../../../app.ts'
import type { Actor } from '../../../core/operators/actor.ts'
import { mayDo } from '../../../core/operators/permissions.ts'
import { sentencesOf } from '../../../core/review/sentences.ts'
import type { Translator } from '../../../core/words/words.ts'
import { someEditions, tallyOf } from '../../../db/ledger/editions.ts'
import { readyOperators } from '../../../db/operators/operators.ts'
import { currentHold } from '../../../db/restore/epoch.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { dayOf } from '../when.ts'

type Words = Translator<OperatorKey>

/** What needs a person, and where its one button leads. */
export type Need = { text: string; more: string[]; url: string | null; act: string | null }

const LOOKED_AT = 3

/** What needs a person, the most pressing first. Only what this operator may do has a button. */
export async function needsOf(
  { store }: Pick<App, 'store'>,
  coming: Coming,
  { actor, words }: { actor: Actor; words: Words },
): Promise<Need[]> {
  const may = mayDo(actor, 'editions.control')
  const needs: Need[] = []
  const add = (text: string, url: string | null = null, act: string | null = null, more: string[] = []) =>
    needs.push({ text, more, url: may ? url : null, act })
  const hold = await currentHold(store)
  if (hold) add(words.t('today.need.hold'), '/release', words.t('today.need.hold.go'))
  if (coming.flags.length > 0 || coming.state === 'held' || coming.state === 'waiting')
    needs.push(comingNeed(coming, words))
  for (const edition of await someEditions(store, { skip: 0, most: LOOKED_AT })) {
    const [day, url] = [dayOf(edition.id, words), `/editions/${edition.id}`]
    if (edition.state === 'paused')
      add(
        words.t('today.need.paused', { day, reason: edition.pauseReason ?? '' }),
        url,
        words.t('today.look'),
      )
    const { failed, unknown } = await tallyOf(store, edition.id)
    const troubles = `${url}?tab=troubles`
    if (failed > 0) add(words.t('today.need.failed', { day, n: failed }), troubles, words.t('today.look'))
    if (unknown > 0) add(words.t('today.need.unknown', { day, n: unknown }), troubles, words.t('today.look'))
  }
  if (mayDo(actor, 'people.see') && (await readyOperators(store, ['owner'])).length === 1)
    add(words.t('today.need.owner'), '/people', words.t('today.need.owner.go'))
  return needs
}

function comingNeed({ flags, state, waits }: Coming, words: Words): Need {
  const key: OperatorKey =
    state === 'held'
      ? 'today.need.held'
      : state === 'approved'
        ? 'today.need.approved'
        : waits
          ? 'today.need.waits'
          : 'today.need.flagged'
  const more = flags.map((flag) => {
    const { what, todo } = sentencesOf(flag, words)
    return `${what} ${todo}`
  })
  return { text: words.t(key), more, url: null, act: null }
}
