import { createHash, randomBytes } from 'node:crypto'
import { actorName } from '../core/operators/actor.ts'
import { and, asc, desc, gt, gte, lt } from './drizzle.ts'
import { factIn, putFact } from './restore/facts.ts'
import { auditLog } from './schema/installation.ts'
import type { Queries, Store } from './store.ts'

/** One thing that someone did. Instants are ms UTC. Rows of earlier releases have no actor and no place in the chain. */
export type AuditRow = typeof auditLog.$inferSelect

/** What someone did. See `audit`. */
export type Entry = { action: string; subject: string; detail?: string | undefined }

/**
 * Inside a transaction: records what someone did, under the name of whoever the transaction is for. `subject` is an edition id,
 * the number of a session or an operator, or a subscriber's public id; neither it nor `detail` ever holds an address. Each
 * row's hash covers the one before it, so that a row that was changed or taken away shows.
 */
export async function audit(tx: Queries, now: Date, { action, subject, detail }: Entry): Promise<void> {
  const { actor } = tx
  const salt = randomBytes(12).toString('base64url')
  const row = {
    at: now.getTime(),
    actor: actorName(actor),
    action,
    network: actor.kind === 'operator' ? actor.network : null,
    digest: digestOf({ salt, subject, detail: detail ?? null }),
  }
  // Writers take turns, so nobody else goes on from the same row.
  const chain = linkOf((await factIn(tx, 'audit_head')) ?? '', row)
  await tx
    .insert(auditLog)
    .values({ ...row, subject, detail: detail ?? null, salt, chain })
    .run()
  await putFact(tx, 'audit_head', chain)
}

/** Records what someone did that changed nothing here, such as looking at a person. */
export async function recordOf(store: Store, now: Date, entry: Entry): Promise<void> {
  await store.write((tx) => audit(tx, now, entry))
}

/** At most `most` rows, newest first, with ids below `below` and not older than `since`. */
export async function recentAudit(
  { read }: Pick<Store, 'read'>,
  { below, since, most }: { below: number | null; since: Date | null; most: number },
): Promise<AuditRow[]> {
  return read
    .select()
    .from(auditLog)
    .where(
      and(
        below === null ? undefined : lt(auditLog.id, below),
        since === null ? undefined : gte(auditLog.at, since.getTime()),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(most)
    .all()
}

const PAGE = 1_000

/** Every row since then, oldest first, a page at a time. */
export async function* auditSince(
  { read }: Pick<Store, 'read'>,
  since: Date | null,
): AsyncGenerator<AuditRow> {
  for (let after = 0; ; ) {
    const page = await read
      .select()
      .from(auditLog)
      .where(gt(auditLog.id, after))
      .orderBy(asc(auditLog.id))
      .limit(PAGE)
      .all()
    for (const row of page) if (since === null || row.at >= since.getTime()) yield row
    const last = page.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

/** Whether the record is whole. `id`: the first row that does not fit what is before it; null: the newest are missing. */
export type AuditState =
  | { kind: 'whole'; rows: number }
  | { kind: 'broken'; id: number | null; at: number | null }

/**
 * Follows the chain from its oldest row, as all of it stood at one instant. Reads every row once; a hundred thousand take about
 * a second. It finds what was changed by hand, not the work of someone who makes the whole chain anew (decision 0028).
 */
export function checkAudit(store: Store): Promise<AuditState> {
  return store.snapshot(async (read) => {
    const head = await factIn(read, 'audit_head')
    const pruned = await factIn(read, 'audit_pruned')
    let chain = pruned === null ? '' : ((JSON.parse(pruned) as Pruned).chain ?? '')
    let rows = 0
    for await (const row of auditSince({ read }, null)) {
      if (row.chain === null && chain === '') continue // of an earlier release
      if (row.chain !== linkOf(chain, row) || !saysTheSame(row))
        return { kind: 'broken', id: row.id, at: row.at }
      chain = row.chain
      rows += 1
    }
    return chain === (head ?? '') ? { kind: 'whole', rows } : { kind: 'broken', id: null, at: null }
  })
}

/** How far retention has come: the last row that it removed. */
type Pruned = { id: number; chain: string | null }

/** Inside a transaction: removes rows from before then, oldest first, at most `most`; returns how many. */
export async function pruneAudit(tx: Queries, before: Date, most: number): Promise<number> {
  const oldest = await tx.select().from(auditLog).orderBy(asc(auditLog.id)).limit(most).all()
  const kept = oldest.findIndex(({ at }) => at >= before.getTime())
  const old = kept === -1 ? oldest : oldest.slice(0, kept)
  const last = old.at(-1)
  if (last === undefined) return 0
  const pruned: Pruned = { id: last.id, chain: last.chain }
  await putFact(tx, 'audit_pruned', JSON.stringify(pruned))
  return (
    await tx
      .delete(auditLog)
      .where(lt(auditLog.id, last.id + 1))
      .run()
  ).changes
}

type Said = Pick<AuditRow, 'salt' | 'subject' | 'detail'>

const digestOf = ({ salt, subject, detail }: Said): string => hashOf([salt, subject, detail])

const linkOf = (
  before: string,
  row: Pick<AuditRow, 'at' | 'actor' | 'action' | 'network' | 'digest'>,
): string => hashOf([before, row.at, row.actor, row.action, row.network, row.digest])

/** Of a reader who was erased, or whose links were renewed, the digest cannot be checked any more; of others it can. */
const saysTheSame = (row: AuditRow): boolean =>
  row.salt === null
    ? row.subject === 'erased'
      ? row.detail === null
      : /^[\w-]{22}$/.test(row.subject)
    : digestOf(row) === row.digest

const hashOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
