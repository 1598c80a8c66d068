import type { Installation } from '../../app.ts'
import { csvOf } from '../../core/csv.ts'
import { type AuditRow, auditSince, recentAudit, recordOf } from '../../db/audit.ts'
import { findAnyOperator } from '../../db/operators/operators.ts'
import { demand } from './acting.ts'

type Needs = Pick<Installation, 'store' | 'now' | 'actor'>

/** One thing that someone did, for programs. `at` is ISO, UTC. Holds no address. */
export type AuditEntry = {
  id: number
  at: string
  actor: string | null
  network: string | null
  action: string
  subject: string
  detail: string | null
}

/** What was done since then, oldest first. */
export async function* auditEntries(app: Needs, since: Date | null): AsyncGenerator<AuditEntry> {
  demand(app, 'audit.see')
  for await (const row of auditSince(app.store, since)) yield entryOf(row)
}

/** A page of what was done, newest first, with the addresses of the operators who did it, and where the next page begins. */
export async function auditPage(app: Needs, below: number | null, most: number) {
  demand(app, 'audit.see')
  const rows = await recentAudit(app.store, { below, since: null, most: most + 1 })
  const shown = rows.slice(0, most)
  const ids = new Set(
    shown.flatMap(({ actor, subject }) => [idIn(actor), idIn(subject)]).filter((id) => id !== null),
  )
  const names = new Map<number, string>()
  for (const id of ids) names.set(id, (await findAnyOperator(app.store, id))?.email ?? `operator ${id}`)
  return { rows: shown, names, next: rows.length > most ? (shown.at(-1)?.id ?? null) : null }
}

/** The number in `operator:7`; null in anything else. */
export const idIn = (name: string | null): number | null => {
  const [, id] = /^operator:(\d+)$/.exec(name ?? '') ?? []
  return id === undefined ? null : Number(id)
}

const COLUMNS = ['id', 'at', 'actor', 'network', 'action', 'subject', 'detail'] as const

/** The record since then as CSV, in pieces. That it was downloaded is on record too. */
export async function* auditCsv(app: Needs, since: Date | null): AsyncGenerator<string> {
  demand(app, 'audit.see')
  await recordOf(app.store, app.now(), { action: 'audit downloaded', subject: 'audit' })
  yield csvOf([COLUMNS])
  for await (const entry of auditEntries(app, since)) yield csvOf([COLUMNS.map((column) => entry[column])])
}

const entryOf = ({ id, at, actor, network, action, subject, detail }: AuditRow): AuditEntry => ({
  ...{ id, at: new Date(at).toISOString(), actor, network, action, subject, detail },
})
