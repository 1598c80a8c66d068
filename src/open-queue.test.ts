import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { testConfig } from '../test/app.ts'
import { aFolder } from '../test/folder.ts'
import { openLog } from './log.ts'
import { openInstallationAndQueue, openInstallationAndWaker } from './open-queue.ts'

const log = openLog('silent')

test('a private Redis is not started to wake nobody, and rung where it runs', async () => {
  const config = testConfig({ DATABASE_PATH: join(aFolder(), 'openseat.db') })
  const alone = await openInstallationAndWaker(config, { log })
  await alone.queue.wakeSweep()
  expect(await alone.queue.workers()).toBe(0)
  await alone.close()
  expect(existsSync(`${config.DATABASE_PATH}.redis/redis.log`)).toBe(false)

  const running = await openInstallationAndQueue(config, { log })
  const beside = await openInstallationAndWaker(config, { log })
  await beside.queue.wakeSweep()
  expect((await running.queue.stats())?.editionJobs).toMatchObject({ waiting: 1 })
  await beside.close()
  await running.close()
}, 30_000)
