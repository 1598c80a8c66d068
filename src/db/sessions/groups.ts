import { plain } from '../../core/mail/digest-page.ts'
import type { GroupFacts } from '../../core/sessions/group.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { groupFacts, topicNamesIn } from '../../core/sessions/written-facts.ts'
import { eq, sql } from '../drizzle.ts'
import { groups, sessions, topics } from '../schema/sessions.ts'
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
  return row === undefined ? null : groupOf(id, row)
}

type Row = Pick<Group, 'kind' | 'topicSlug'> & {
  [Field in 'title' | 'topicName' | 'topicNames' | keyof GroupFacts]: unknown
}

function groupOf(id: number, row: Row): Group | null {
  const title = plain(String(row.title))
  if (title === '') return null
  return {
    ...{ id, title, kind: row.kind, ...groupFacts(row) },
    topicSlug: row.topicSlug,
    topicName: plain(String(row.topicName)) || row.topicSlug,
    topicNames: topicNamesIn(row.topicNames),
  }
}

/** A group as operators list it, with how many sessions belong to it. */
export type ListedGroup = Group & { sessions: number }

/** All groups that have a name, by it. */
export async function listedGroups(store: Store): Promise<ListedGroup[]> {
  const rows = await store.read
    .select({ id: groups.id, ...GROUP, sessions: sql<number>`count(${sessions.id})` })
    .from(groups)
    .innerJoin(topics, eq(topics.id, groups.topicId))
    .leftJoin(sessions, eq(sessions.groupId, groups.id))
    .groupBy(groups.id, topics.id)
    .orderBy(groups.title, groups.id)
    .all()
  return rows.flatMap(({ id, sessions: count, ...row }) => {
    const group = groupOf(id, row)
    return group === null ? [] : [{ ...group, sessions: count }]
  })
}

/** A group as its row has it, to be corrected; null when there is none. */
export async function writtenGroup(store: Store, id: number) {
  const row = await store.read
    .select({ ...GROUP, version: groups.version })
    .from(groups)
    .leftJoin(topics, eq(topics.id, groups.topicId))
    .where(eq(groups.id, id))
    .get()
  return row ?? null
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
