import { expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { afterTest, testApp, testRedis } from '../../../test/app.ts'
import { signEpoch } from '../../core/tokens.ts'
import { RELEASE_GAP } from '../../db/restore/epoch.ts'
import { watchEpoch } from './watch-epoch.ts'

test('a number that another program wrote into a shared Redis causes no hold', async () => {
  const app = await testApp({ file: true })
  const redis = aRedis()
  const key = `${app.queuePrefix}:epoch`
  expect(await watchEpoch(app)).toBeNull()
  const ours = (await redis.get(key)) ?? ''
  const [, signature] = ours.split('.')
  for (const forged of ['99999999', `99999999.${signature}`, '99999999.', 'x', `${ours}0`]) {
    await redis.set(key, forged)
    expect(await watchEpoch(app)).toBeNull()
    expect(await redis.get(key)).toMatch(/^\d+\.[\w-]{24}$/)
  }
})

test('the epoch in Redis puts an older copy on hold, also after a leap', async () => {
  for (const ahead of [5, RELEASE_GAP]) {
    const app = await testApp({ file: true })
    await watchEpoch(app)
    await aRedis().set(`${app.queuePrefix}:epoch`, signEpoch(app.hashKey, ahead + 1))
    expect(await watchEpoch(app)).toMatchObject({ reason: 'older' })
  }
})

function aRedis(): Redis {
  const redis = new Redis(testRedis())
  afterTest(async () => void (await redis.quit()))
  return redis
}
