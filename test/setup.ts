import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { sql } from '../src/db/drizzle.ts'
import { openPostgres } from '../src/db/postgres/open.ts'
import { openSqlite } from '../src/db/sqlite/open.ts'
import { findOrInstallProgram, redisServer } from '../src/machine/find-program.ts'
import { type PrivateRedis, startPrivateRedis } from '../src/redis/private-redis.ts'
import { imageOf, KEEP_SEED, onPostgres } from './db.ts'
import { startMjml } from './mjml.ts'
import { type PostgresServer, startPostgres } from './postgres/server.ts'

let running:
  | { redis: PrivateRedis; mjml: ChildProcess; folder: string; postgres?: PostgresServer }
  | undefined

const COMPILED = join(import.meta.dirname, '../node_modules/.cache/compiled')

/**
 * Jest's global setup: one private Redis, one MJML compiler, and one migrated database to copy for the whole run. Each
 * test uses its own Redis prefix. The programs that tests start find their modules compiled: that saves two thirds of
 * their startup.
 */
export default async function setup(): Promise<void> {
  const binary = await findOrInstallProgram(redisServer, (line) => process.stderr.write(`${line}\n`))
  const folder = mkdtempSync(join(tmpdir(), 'openseat-redis-'))
  const quiet = { info: () => {}, warn: () => {} }
  const redis = await startPrivateRedis({ folder, binary, log: quiet })
  process.env.OPENSEAT_TEST_IMAGE = await migratedImage(folder)
  const postgres = onPostgres ? await startTemplate() : undefined
  running = { redis, mjml: await startMjml(folder), folder, ...(postgres && { postgres }) }
  process.env.NODE_COMPILE_CACHE ??= COMPILED
  process.env.OPENSEAT_TEST_REDIS = redis.connection.path
}

async function migratedImage(folder: string): Promise<string> {
  const file = join(folder, 'image')
  const store = openSqlite(join(folder, 'image.db'))
  writeFileSync(file, await imageOf(store))
  await store.close()
  return file
}

/** A Postgres with one migrated database, which each test copies. */
async function startTemplate(): Promise<PostgresServer> {
  const server = await startPostgres()
  const client = new pg.Client({ connectionString: server.url('postgres') })
  await client.connect()
  await client.query('create database openseat_template')
  await client.end()
  process.env.OPENSEAT_TEST_POSTGRES = server.url('openseat_template')
  const store = await openPostgres(server.url('openseat_template'))
  for (const text of KEEP_SEED.split(';')) await store.read.run(sql.raw(text))
  await store.close()
  return server
}

/** Jest's global teardown. */
export async function teardown(): Promise<void> {
  running?.mjml.kill()
  await running?.redis.close()
  await running?.postgres?.close()
  if (running) rmSync(running.folder, { recursive: true, force: true })
}
