import type { Installation } from '../app.ts'
import { formatOccurrence } from '../core/time/occurrences.ts'
import { checkAudit } from '../db/audit.ts'
import { readyOperators } from '../db/operators/operators.ts'
import type { Check } from '../resend/check.ts'

const FEWEST_OWNERS = 2

/** Whether what is on record is whole. */
export async function checkRecord({ store, config }: Installation): Promise<Check> {
  const name = 'audit log'
  const state = await checkAudit(store)
  if (state.kind === 'whole') return { name, status: 'ok', detail: `whole: ${state.rows} entries, chained` }
  const { timeZone } = config.slotRule
  const where =
    state.id === null
      ? 'its newest entries are missing'
      : `entry ${state.id}${state.at === null ? '' : ` of ${formatOccurrence(new Date(state.at), timeZone, 'en').date}`} does not fit the one before it`
  const fix =
    'Someone changed the database by hand. Keep a copy of it, and compare "openseat audit --csv" with that of a backup.'
  return { name, status: 'fail', detail: where, fix }
}

/** Whether enough people can let others in. An installation that nobody signs in to is none of its business. */
export async function checkOperators({ store, config }: Installation): Promise<Check[]> {
  const name = 'operators'
  const ready = await readyOperators(store, ['owner', 'operator', 'editor'])
  if (ready.length === 0) return []
  const owners = ready.filter(({ role }) => role === 'owner').length
  const detail = `${owners} of ${ready.length} who can sign in at ${config.operatorOrigin} are owners`
  if (owners >= FEWEST_OWNERS) return [{ name, status: 'ok', detail }]
  const fix =
    'Let a second owner in, so that one lost phone locks nobody out: openseat operator link EMAIL --role owner'
  return [{ name, status: 'warn', detail, fix }]
}
