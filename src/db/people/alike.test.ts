import { expect, test } from '@jest/globals'
import { aSubscriber, testApp } from '../../../test/app.ts'
import { hearersOf, shownTo } from '../../core/audience/consequence.ts'
import { isKnownTo, type NewsSource, newsTo } from '../../core/audience/news.ts'
import { seenBy } from '../../core/audience/seen.ts'
import { subscribers } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'
import { readersAlike } from './alike.ts'
import { topicRowsOf } from './topic-rows.ts'

const LATEST = Number.MAX_SAFE_INTEGER

test('readers who are alike are counted as each of them would be', async () => {
  const app = await testApp()
  const ids = app.db
    .select()
    .from(topics)
    .all()
    .slice(0, 3)
    .map(({ id, slug }) => ({ id, slug }))
  const [one, other, third] = ids.map(({ id }) => id) as [number, number, number]
  let number = 0
  for (const chosen of [[], [0], [1], [0, 1], [2]])
    for (const seenThrough of [0, 5, 9, 9])
      for (const own of [null, 0, 6]) {
        number += 1
        const slugs = chosen.map((index) => ids[index]?.slug ?? '')
        const id = aSubscriber(app, `reader-${number}@sample.test`, { topics: slugs, seenThrough })
        if (own !== null)
          app.db.$client
            .prepare(
              `insert into subscriber_topics (subscriber_id, topic_id, chosen, seen_through) values (?, ?, 0, ?)
               on conflict (subscriber_id, topic_id) do update set seen_through = excluded.seen_through`,
            )
            .run(id, one, own)
      }
  aSubscriber(app, 'gone@sample.test', { status: 'unsubscribed' })

  const state = (seq: number, topicId: number, times: string) => ({ seq, topicId, times, reopened: 0 })
  const sessions: NewsSource[] = [
    { topicId: one, seq: 4 },
    { topicId: other, seq: 8, history: [state(3, one, 'a'), state(8, other, 'b')] },
    { topicId: one, seq: 7, history: [state(2, one, 'a'), state(7, one, 'b')] },
    { topicId: third, seq: 10 },
  ]
  const readers = app.db
    .select()
    .from(subscribers)
    .all()
    .filter(({ status }) => status === 'active')
  const rows = await topicRowsOf(
    app.store.read,
    readers.map(({ id }) => id),
  )
  const each = readers.map(({ id, seenThrough }) => seenBy(seenThrough, rows.get(id) ?? []))
  const alike = await readersAlike(app.store, [one, other, third])
  expect(alike.more).toBe(false)
  expect(alike.readers.length).toBe(45)
  for (const session of sessions) {
    const news = each.map(({ topics: chosen, seen }) => newsTo(session, chosen, seen, LATEST))
    const again = news.filter((label) => label === 'moved' || label === 'reopened').length
    expect(hearersOf([session], alike.readers)).toEqual({
      again,
      fresh: news.filter((label) => label === 'new').length,
    })
    const shown = each.filter(({ topics: chosen, seen }) => isKnownTo(session, chosen, seen)).length
    expect(shownTo(session, alike.readers)).toBe(shown)
  }
  const some = await readersAlike(app.store, [one], 10)
  expect([some.more, some.readers.reduce((sum, { readers: count }) => sum + count, 0)]).toEqual([true, 9])
})
