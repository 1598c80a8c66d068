import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { eventually } from '../../test/app.ts'
import { aFolder } from '../../test/folder.ts'
import { openLog } from '../log.ts'
import { startPrivateRedis } from './private-redis.ts'
import { openQueue } from './queue.ts'

const nowhere = { info() {}, warn() {} }

test('a worker whose Redis is gone finishes its work and stops', async () => {
  const redis = await startPrivateRedis({ folder: aFolder(), binary: 'redis-server', log: nowhere })
  const queue = await openQueue({ redis: redis.connection, prefix: 'test', log: openLog('silent') })
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
  await queue.close()
}, 20_000)
