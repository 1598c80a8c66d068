import type { DatedSession } from '../../core/sessions/ics.ts'
import { audit } from '../audit.ts'
import { and, desc, eq, gt, isNotNull, isNull, sql } from '../drizzle.ts'
import { editions } from '../schema/ledger.ts'
import { groups, knownSessions, sessionImports, sessions } from '../schema/sessions.ts'
import { sessionsById } from '../sessions/sessions.ts'
import type { Queries, Store } from '../store.ts'
import { type Applied, applySessions } from './sessions.ts'
import type { Staging } from './staging.ts'

/** A file of sessions that an operator looked at, or brought in. Instants are ms UTC. */
export type SessionImport = typeof sessionImports.$inferSelect

type SessionRow = typeof sessions.$inferSelect
type GroupRow = typeof groups.$inferSelect

/** A session with its group, as one row of a file. */
export type FileRow = { session: SessionRow; group: GroupRow; known: Known | null }

/** What the triggers keep of a session, from which they tell that it reopens. */
type Known = { open: boolean; lastDate: string | null }

/** What an import changes: each row before and after it; `before` null = new. */
export type Changes = Applied & {
  rows: { before: FileRow | null; after: FileRow }[]
  dated: DatedSession[]
  /** Sessions that are not cancelled and not in the file; they stay. */
  kept: number
  /** Ids above this one are those of groups that the import made. */
  lastGroup: number
}

/** How things were before an import, to undo it. A session without `before` was new. */
type Before = {
  sessions: { id: number; version: number; before: SessionRow | null; known?: Known | null }[]
  groups: { id: number; version: number; before: GroupRow }[]
  /** Groups that it made. */
  made?: { id: number; version: number }[]
}

/** Keeps a file until it is brought in, or a day has passed. Returns its number. */
export async function keepImport(
  store: Store,
  file: { createdBy: string; hash: string; content: string },
  now: Date,
): Promise<number> {
  return store.write(async (tx) => {
    const row = { ...file, createdAt: now.getTime() }
    const [kept] = await tx.insert(sessionImports).values(row).returning({ id: sessionImports.id }).all()
    return kept?.id ?? 0
  })
}

/** Forgets a file that was not brought in. */
export async function dropImport(store: Store, id: number): Promise<void> {
  await store.write((tx) =>
    tx
      .delete(sessionImports)
      .where(and(eq(sessionImports.id, id), isNull(sessionImports.importedAt)))
      .run(),
  )
}

/** The import with this number, or null. */
export async function findImport(store: Store, id: number): Promise<SessionImport | null> {
  return (await store.read.select().from(sessionImports).where(eq(sessionImports.id, id)).get()) ?? null
}

/** The last imports that were brought in, newest first. */
export async function recentImports(store: Store, most: number): Promise<SessionImport[]> {
  return store.read
    .select()
    .from(sessionImports)
    .where(isNotNull(sessionImports.importedAt))
    .orderBy(desc(sessionImports.id))
    .limit(most)
    .all()
}

/** How many sessions were changed since that version of all of them. */
export async function changedSince({ read }: Pick<Store, 'read'>, version: number): Promise<number> {
  const row = await read.get<{ n: number }>(
    sql`select count(*) as n from ${sessions} where ${sessions.version} > ${version}`,
  )
  return row.n
}

/** What an import of the staged rows would change. Writes nothing. */
export async function rehearseImport(staging: Staging, options: { skipInvalid: boolean }): Promise<Changes> {
  try {
    await withChanges(staging, options, async (_tx, changes) => {
      throw new Rehearsed(changes)
    })
    throw new Error('a rehearsal was not taken back')
  } catch (error) {
    if (error instanceof Rehearsed) return error.changes
    throw error
  }
}

/** `accepts` looks at the changes at last; what it throws undoes them. */
type Bringing = { id: number; version: number; skipInvalid: boolean; accepts: (changes: Changes) => void }

/**
 * Brings the staged rows in and notes how things were before. Null: the sessions are not at `version` any more, or the import
 * was brought in already; then nothing was written.
 */
export async function bringIn(
  staging: Staging,
  { id, version, skipInvalid, accepts }: Bringing,
  now: Date,
): Promise<Changes | null> {
  try {
    return await withChanges(staging, { skipInvalid, version }, async (tx, changes) => {
      accepts(changes)
      const { added, updated, unchanged, rows, lastGroup } = changes
      const counts = { added, updated, unchanged }
      const done = {
        importedAt: now.getTime(),
        content: null,
        counts: JSON.stringify(counts),
        before: JSON.stringify(beforeOf(rows, lastGroup)),
      }
      const open = and(eq(sessionImports.id, id), isNull(sessionImports.importedAt))
      if ((await tx.update(sessionImports).set(done).where(open).run()).changes === 0) throw new Overtaken()
      const detail = `${added} added, ${updated} changed, ${unchanged} as before`
      await audit(tx, now, { action: 'sessions imported', subject: `import:${id}`, detail })
    })
  } catch (error) {
    if (error instanceof Overtaken) return null
    throw error
  }
}

/** `mailed`: an edition was planned since. `changed`: something of it was changed since. */
export type UndoOutcome = 'undone' | 'mailed' | 'changed' | 'not-imported'

/**
 * Takes an import back, all or nothing: what it added is removed, what it changed is as before, and no reader hears of it.
 */
export async function undoImport(store: Store, id: number, now: Date): Promise<UndoOutcome> {
  const undoing = store.write(async (tx): Promise<UndoOutcome> => {
    const row = await tx.select().from(sessionImports).where(eq(sessionImports.id, id)).get()
    if (!row?.importedAt || row.before === null) return 'not-imported'
    const since = gt(editions.createdAt, row.importedAt - 1)
    if (await tx.select({ id: editions.id }).from(editions).where(since).limit(1).get()) return 'mailed'
    const before = JSON.parse(row.before) as Before
    for (const one of before.groups) await restoreGroup(tx, one)
    for (const one of before.sessions) await restoreSession(tx, one)
    for (const one of before.made ?? []) await removeGroup(tx, one)
    await tx
      .update(sessionImports)
      .set({ undoneAt: now.getTime(), before: null })
      .where(eq(sessionImports.id, id))
      .run()
    await audit(tx, now, { action: 'import undone', subject: `import:${id}` })
    return 'undone'
  })
  return undoing.catch((error: unknown) => {
    if (error instanceof Overtaken) return 'changed' as const
    throw error
  })
}

/** Thrown to undo the transaction. */
class Rehearsed extends Error {
  override name = 'Rehearsed'
  changes: Changes
  constructor(changes: Changes) {
    super()
    this.changes = changes
  }
}

class Overtaken extends Error {
  override name = 'Overtaken'
}

async function withChanges(
  staging: Staging,
  { skipInvalid, version }: { skipInvalid: boolean; version?: number },
  last: (tx: Queries, changes: Changes) => Promise<void>,
): Promise<Changes> {
  let before = new Map<string, FileRow>()
  let changes: Changes | null = null
  let lastGroup = 0
  const applied = await applySessions(staging, {
    skipInvalid,
    first: async (tx, table) => {
      if (version !== undefined && (await versionIn(tx)) !== version) throw new Overtaken()
      before = await fileRows(tx, table)
      lastGroup = (await tx.get<{ id: number }>(sql`select coalesce(max(id), 0) as id from ${groups}`)).id
    },
    last: async (tx, done, table) => {
      const after = await fileRows(tx, table)
      const rows = [...after].flatMap(([name, row]) => {
        const was = before.get(name) ?? null
        const same =
          was !== null &&
          was.session.version === row.session.version &&
          was.group.version === row.group.version
        return same ? [] : [{ before: was, after: row }]
      })
      const ids = rows.map(({ after: { session } }) => session.id)
      changes = {
        ...done,
        rows,
        dated: await sessionsById(tx, ids),
        lastGroup,
        kept: await countOthers(tx, table),
      }
      await last(tx, changes)
    },
  })
  return changes ?? { ...applied, rows: [], dated: [], lastGroup, kept: 0 }
}

async function versionIn(tx: Queries): Promise<number> {
  const row = await tx.get<{ value: number }>(sql`select value from counters where name = 'sessions_version'`)
  return row.value
}

async function fileRows(tx: Queries, table: Staging['table']): Promise<Map<string, FileRow>> {
  const rows = await tx
    .select({
      session: sessions,
      group: groups,
      known: { open: knownSessions.open, lastDate: knownSessions.lastDate },
    })
    .from(sessions)
    .innerJoin(groups, eq(groups.id, sessions.groupId))
    .leftJoin(knownSessions, eq(knownSessions.sessionId, sessions.id))
    .where(sql`${sessions.externalId} in (select external_id from ${table})`)
    .all()
  return new Map(rows.map((row) => [row.session.externalId, row]))
}

function beforeOf(rows: Changes['rows'], lastGroup: number): Before {
  const made = new Map(rows.map(({ after: { group } }) => [group.id, group.version]))
  const changed = new Map<number, Before['groups'][number]>()
  for (const { before, after } of rows)
    if (before && before.group.id === after.group.id && before.group.version !== after.group.version)
      changed.set(after.group.id, { id: after.group.id, version: after.group.version, before: before.group })
  return {
    sessions: rows
      .filter(({ before, after }) => before?.session.version !== after.session.version)
      .map(({ before, after }) => ({
        id: after.session.id,
        version: after.session.version,
        before: before?.session ?? null,
        known: before?.known ?? null,
      })),
    groups: [...changed.values()],
    made: [...made].filter(([id]) => id > lastGroup).map(([id, version]) => ({ id, version })),
  }
}

async function restoreGroup(tx: Queries, { id, version, before }: Before['groups'][number]): Promise<void> {
  const { summary, url, language, place, price } = before
  const ours = and(eq(groups.id, id), eq(groups.version, version))
  const restored = await tx.update(groups).set({ summary, url, language, place, price }).where(ours).run()
  if (restored.changes !== 1) throw new Overtaken()
}

/**
 * Nobody has been shown anything else. What the triggers know of it goes back first, so that a session that the import closed
 * is not reopened by this; then they find each reader's state again, and nobody hears of it.
 */
async function restoreSession(
  tx: Queries,
  { id, version, before, known }: Before['sessions'][number],
): Promise<void> {
  const ours = and(eq(sessions.id, id), eq(sessions.version, version))
  if (before === null) {
    if ((await tx.delete(sessions).where(ours).run()).changes !== 1) throw new Overtaken()
    return
  }
  const { groupId, therapist, startsAtLocal, timeZone, durationMinutes, repeats, occurrences } = before
  const { seatsTotal, seatsLeft, status, bookingUrl } = before
  const texts = { groupId, therapist, startsAtLocal, timeZone, durationMinutes, repeats, occurrences }
  if (known) await tx.update(knownSessions).set(known).where(eq(knownSessions.sessionId, id)).run()
  const restored = await tx
    .update(sessions)
    .set({ ...texts, seatsTotal, seatsLeft, status, bookingUrl })
    .where(ours)
    .run()
  if (restored.changes !== 1) throw new Overtaken()
  const sameNews = and(eq(sessions.id, id), eq(sessions.seq, before.seq))
  await tx.update(sessions).set({ newsAt: before.newsAt }).where(sameNews).run()
}

/** Removes a group that the import made, if nobody gave it texts or sessions since. */
async function removeGroup(tx: Queries, { id, version }: { id: number; version: number }): Promise<void> {
  const isEmpty = sql`not exists (select 1 from ${sessions} where ${sessions.groupId} = ${id})`
  await tx
    .delete(groups)
    .where(and(eq(groups.id, id), eq(groups.version, version), isEmpty))
    .run()
}

async function countOthers(tx: Queries, table: Staging['table']): Promise<number> {
  const row = await tx.get<{ n: number }>(
    sql`select count(*) as n from sessions
      where status <> 'cancelled' and external_id not in (select external_id from ${table})`,
  )
  return row.n
}
