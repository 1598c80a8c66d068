import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOrInstallProgram, redisServer } from '../find-program.ts'
import { type PrivateRedis, startPrivateRedis } from '../private-redis.ts'

let running: { redis: PrivateRedis; folder: string } | undefined

/** Jest's global setup: one private Redis for the whole run. Each test uses a prefix of its own. */
export default async function setup(): Promise<void> {
  const binary = await findOrInstallProgram(redisServer, (line) => process.stderr.write(`${line}\n`))
  const folder = mkdtempSync(join(tmpdir(), 'openseat-redis-'))
  const quiet = { info: () => {}, warn: () => {} }
  const redis = await startPrivateRedis({ folder, binary, log: quiet })
  running = { redis, folder }
  process.env.OPENSEAT_TEST_REDIS = redis.connection.path
}

/** Jest's global teardown. */
export async function teardown(): Promise<void> {
  await running?.redis.close()
  if (running) rmSync(running.folder, { recursive: true, force: true })
}
