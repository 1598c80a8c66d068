import { plain } from '../../core/mail/digest-page.ts'
import type { GroupFacts } from '../../core/sessions/group.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { groupFacts, topicNamesIn } from '../../core/sessions/written-facts.ts'
import { eq } from '../drizzle.ts'
import { groups, topics } from '../schema/sessions.ts'
import type { Store } from '../store.ts'

/** What is known of a group. */
export type Group = GroupFacts &
  Pick<Session, 'kind' | 'topicSlug' | 'topicName' | 'topicNames'> & { id: number; title: string }

/** A group with its topic, as a page shows it; null when there is none, or it has no name. */
export async function findGroup(store: Store, id: number): Promise<Group | null> {
  const row = await store.read
    .select(GROUP)
    .from(groups)
    .innerJoin(topics, eq(topics.id, groups.topicId))
    .where(eq(groups.id, id))
    .get()
  return row === undefined || plain(String(row.title)) === ''
    ? null
    : {
        ...{ id, title: plain(String(row.title)), kind: row.kind, ...groupFacts(row) },
        topicSlug: row.topicSlug,
        topicName: plain(String(row.topicName)) || row.topicSlug,
        topicNames: topicNamesIn(row.topicNames),
      }
}

const GROUP = {
  title: groups.title,
  kind: groups.kind,
  topicSlug: topics.slug,
  topicName: topics.name,
  topicNames: topics.names,
  summary: groups.summary,
  groupUrl: groups.url,
  language: groups.language,
  place: groups.place,
  price: groups.price,
}
