import type { GroupText } from '../../core/intake/group-form.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import { audit } from '../audit.ts'
import { and, eq, ne } from '../drizzle.ts'
import { groups, sessions, topics } from '../schema/sessions.ts'
import type { Queries, Store } from '../store.ts'
import type { Written } from './edit.ts'
import { rehearse } from './rehearse.ts'
import { sessionsById } from './sessions.ts'

/** A change of the group that someone looked at in this `version`. */
export type GroupChange = { id: number; version: number; text: GroupText }

/** `taken`: another group has this topic, kind and name. */
export type WrittenGroup = Written | 'taken'

/** Writes a group wholly, or nothing of it, and records who did. Of a new topic, triggers see whom its sessions are new to. */
export async function writeGroup(store: Store, change: GroupChange, now: Date): Promise<WrittenGroup> {
  return store.write(async (tx) => {
    const written = await write(tx, change)
    if (written === 'changed') await audit(tx, now, { action: 'group changed', subject: String(change.id) })
    return written
  })
}

/** The sessions of the group before the change, and as they would be after it, judged by the triggers. */
export async function rehearseGroup(
  store: Store,
  change: GroupChange,
): Promise<{ before: DatedSession[]; after: DatedSession[] }> {
  return rehearse(store, async (tx) => {
    const ids = await idsIn(tx, change.id)
    const before = await sessionsById(tx, ids)
    const written = await write(tx, change)
    return { before, after: written === 'changed' ? await sessionsById(tx, ids) : before }
  })
}

async function idsIn(tx: Queries, groupId: number): Promise<number[]> {
  const rows = await tx.select({ id: sessions.id }).from(sessions).where(eq(sessions.groupId, groupId)).all()
  return rows.map(({ id }) => id)
}

async function write(tx: Queries, { id, version, text }: GroupChange): Promise<WrittenGroup> {
  const row = await tx.select().from(groups).where(eq(groups.id, id)).get()
  if (row === undefined) return 'gone'
  if (row.version !== version) return 'meanwhile'
  const topic = await tx.select({ id: topics.id }).from(topics).where(eq(topics.slug, text.topic)).get()
  if (topic === undefined) throw new Error('the topic of a group is gone')
  const { title, kind, summary, groupUrl: url, language, place, price } = text
  const values = { topicId: topic.id, title, kind, summary, url, language, place, price }
  if (Object.entries(values).every(([name, value]) => row[name as keyof typeof values] === value))
    return 'same'
  const named = and(eq(groups.topicId, topic.id), eq(groups.kind, kind), eq(groups.title, title))
  if (
    await tx
      .select({ id: groups.id })
      .from(groups)
      .where(and(named, ne(groups.id, id)))
      .get()
  )
    return 'taken'
  const asRead = and(eq(groups.id, id), eq(groups.version, version))
  return (await tx.update(groups).set(values).where(asRead).run()).changes === 1 ? 'changed' : 'meanwhile'
}
