import { expect, test } from '@jest/globals'
import { aStore } from '../../test/db.ts'
import { type Actor, SYSTEM } from '../core/operators/actor.ts'
import { eq, sql } from './drizzle.ts'
import { topics } from './schema/sessions.ts'
import { prepared, storeFor } from './store.ts'

const ROOT: Actor = { kind: 'command', user: 'root' }

test('a store on someone’s behalf says so in every query, and finds what others prepared', async () => {
  const store = await aStore()
  const mine = storeFor(store, ROOT)
  let built = 0
  const topic = prepared((read) => {
    built += 1
    return read
      .select({ slug: topics.slug })
      .from(topics)
      .where(eq(topics.id, sql.placeholder('id')))
      .prepare()
  })
  const first = await topic(store.read).get({ id: 1 })
  expect(await topic(mine.read).get({ id: 1 })).toEqual(first)
  expect(built).toBe(1)

  const connection = await mine.connect()
  const actors = [
    mine.actor,
    mine.read.actor,
    await mine.snapshot(async (read) => read.actor),
    await mine.write(async (tx) => tx.actor),
    await connection.write(async (tx) => tx.actor),
  ]
  connection.release()
  expect(actors).toEqual(Array.from({ length: 5 }, () => ROOT))
  expect(await store.write(async (tx) => tx.actor)).toBe(SYSTEM)
  await store.close()
})
