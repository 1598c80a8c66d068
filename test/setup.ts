import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../src/db/open.ts'
import { imageOf } from '../src/db/sqlite/open.ts'
import { findOrInstallProgram, redisServer } from '../src/machine/find-program.ts'
import { type PrivateRedis, startPrivateRedis } from '../src/redis/private-redis.ts'
import { startMjml } from './mjml.ts'

let running: { redis: PrivateRedis; mjml: ChildProcess; folder: string } | undefined

const COMPILED = join(import.meta.dirname, '../node_modules/.cache/compiled')

/**
 * Jest's global setup: one private Redis, one MJML compiler, and one migrated database to copy for the whole run. Each test uses a prefix of its own. The programs that tests
 * start find their modules compiled, which is two thirds of their start.
 */
export default async function setup(): Promise<void> {
  const binary = await findOrInstallProgram(redisServer, (line) => process.stderr.write(`${line}\n`))
  const folder = mkdtempSync(join(tmpdir(), 'openseat-redis-'))
  const quiet = { info: () => {}, warn: () => {} }
  const redis = await startPrivateRedis({ folder, binary, log: quiet })
  process.env.OPENSEAT_TEST_IMAGE = await migratedImage(folder)
  running = { redis, mjml: await startMjml(folder), folder }
  process.env.NODE_COMPILE_CACHE ??= COMPILED
  process.env.OPENSEAT_TEST_REDIS = redis.connection.path
}

async function migratedImage(folder: string): Promise<string> {
  const file = join(folder, 'image')
  const store = openStore(join(folder, 'image.db'))
  writeFileSync(file, await imageOf(store))
  store.close()
  return file
}

/** Jest's global teardown. */
export async function teardown(): Promise<void> {
  running?.mjml.kill()
  await running?.redis.close()
  if (running) rmSync(running.folder, { recursive: true, force: true })
}
