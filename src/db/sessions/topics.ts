import type { TopicText } from '../../core/intake/group-form.ts'
import type { TopicNames } from '../../core/sessions/topic.ts'
import { topicNamesIn } from '../../core/sessions/written-facts.ts'
import { audit } from '../audit.ts'
import { and, eq } from '../drizzle.ts'
import { topics } from '../schema/sessions.ts'
import type { Store } from '../store.ts'

/**
 * Adds a topic. One that exists gets its name and these names in other languages, if there are any; '' removes one. Returns
 * all its names, or null if it exists and nothing was to be changed.
 */
export async function putTopic(
  store: Store,
  { slug, name, names }: TopicText,
  now: Date,
): Promise<{ added: boolean; names: TopicNames } | null> {
  return store.write(async (tx) => {
    const known = await tx.select().from(topics).where(eq(topics.slug, slug)).get()
    if (known && Object.keys(names).length === 0) return null
    const all = { ...topicNamesIn(known?.names), ...names }
    const kept = Object.fromEntries(Object.entries(all).filter(([, one]) => one !== ''))
    const values = { name, names: JSON.stringify(kept) }
    if (known) await tx.update(topics).set(values).where(eq(topics.slug, slug)).run()
    else
      await tx
        .insert(topics)
        .values({ slug, ...values })
        .run()
    await audit(tx, now, { action: known ? 'topic changed' : 'topic added', subject: slug })
    return { added: known === undefined, names: kept }
  })
}

/** A topic as its row has it, `names` as JSON; null when there is none of this slug. */
export async function findTopic(store: Store, slug: string): Promise<{ name: string; names: string } | null> {
  const row = await store.read.select().from(topics).where(eq(topics.slug, slug)).get()
  return row ? { name: row.name, names: row.names } : null
}

/** Adds a topic of its own. False if its slug exists; then nothing is changed. */
export async function insertTopic(store: Store, text: TopicText, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const values = { slug: text.slug, name: text.name, names: JSON.stringify(text.names) }
    const added = await tx.insert(topics).values(values).onConflictDoNothing().run()
    if (added.changes === 1) await audit(tx, now, { action: 'topic added', subject: text.slug })
    return added.changes === 1
  })
}

/** Gives a topic its names, if it is still as `was`. False if someone else changed it. */
export async function renameTopic(
  store: Store,
  text: TopicText,
  was: { name: string; names: string },
  now: Date,
): Promise<boolean> {
  return store.write(async (tx) => {
    const asRead = and(eq(topics.slug, text.slug), eq(topics.name, was.name), eq(topics.names, was.names))
    const values = { name: text.name, names: JSON.stringify(text.names) }
    const renamed = await tx.update(topics).set(values).where(asRead).run()
    if (renamed.changes === 1) await audit(tx, now, { action: 'topic changed', subject: text.slug })
    return renamed.changes === 1
  })
}
