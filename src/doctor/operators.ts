import type { Installation } from '../app.ts'
import { readyOperators } from '../db/operators/operators.ts'
import type { Check } from '../resend/check.ts'

const FEWEST_OWNERS = 2

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
