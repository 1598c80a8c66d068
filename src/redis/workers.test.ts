import { once } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { afterTest, eventually } from '../../test/app.ts'
import { aFolder } from '../../test/folder.ts'
import { openLog } from '../log.ts'
import { startPrivateRedis } from './private-redis.ts'
import { openQueue } from './queue.ts'

const nowhere = { info() {}, warn() {} }

test('a worker that stops leaves no wake-up taken, at whatever moment it stops', async () => {
  const { queue } = await aQueue()
  for (let round = 0; round < 60; round++) {
    const worker = queue.work({
      sweep: () => setTimeout(1),
      drained() {},
      submit: async () => ({ kind: 'done' }),
    })
    await queue.wakeSweep()
    await queue.wakeBatches([round, 1000 + round])
    for (let turn = 0; turn < round; turn++) await setImmediate()
    await worker.stop()
    expect(await queue.stats()).toMatchObject({ batchJobs: { active: 0 }, editionJobs: { active: 0 } })
  }
})

test('a worker whose Redis is gone finishes its work and stops', async () => {
  const { queue, redis } = await aQueue()
  const hold = new EventTarget()
  const submitted: unknown[] = []
  const worker = queue.work({
    sweep: async () => {},
    drained() {},
    async submit(_name, data) {
      await once(hold, 'go')
      submitted.push(data)
      return { kind: 'done' }
    },
  })
  await queue.wakeBatches([7])
  await eventually(async () => (await queue.stats())?.batchJobs.active === 1)
  await redis.close()

  const stopped = worker.stop()
  hold.dispatchEvent(new Event('go'))
  await stopped
  expect(submitted).toEqual([{ batchId: 7 }])
}, 20_000)

/** A queue with a Redis of its own. */
async function aQueue() {
  const redis = await startPrivateRedis({ folder: aFolder(), binary: 'redis-server', log: nowhere })
  afterTest(() => redis.close())
  const queue = await openQueue({ redis: redis.connection, prefix: 'test', log: openLog('silent') })
  afterTest(() => queue.close())
  return { queue, redis }
}
