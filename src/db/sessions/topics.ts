import type { TopicNames } from '../../core/sessions/topic.ts'
import { topicNamesIn } from '../../core/sessions/written-facts.ts'
import { eq } from '../drizzle.ts'
import { topics } from '../schema/sessions.ts'
import type { Store } from '../store.ts'

/**
 * Adds a topic. One that exists gets its name and these names in other languages, if there are any; '' removes one. Returns
 * all its names, or null if it exists and nothing was to be changed.
 */
export async function putTopic(
  store: Store,
  { slug, name, names }: { slug: string; name: string; names: TopicNames },
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
    return { added: known === undefined, names: kept }
  })
}
