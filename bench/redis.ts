import { findProgram, redisServer } from '../src/machine/find-program.ts'
import { startPrivateRedis } from '../src/redis/private-redis.ts'
import { remove } from './run.ts'

const QUIET = { info: () => {}, warn: () => {} }

/** A Redis of the bench, which outlives the contender that uses it. */
export type BenchRedis = {
  socket: string
  /** Stops it, deletes its data, and starts it again on the same socket. */
  lose(): Promise<void>
  stop(): Promise<void>
}

/** Starts a Redis beside the database `file`. */
export async function startBenchRedis(file: string): Promise<BenchRedis> {
  const folder = `${file}.bench-redis`
  const start = () => startPrivateRedis({ folder, binary: findProgram(redisServer), log: QUIET })
  let redis = await start()
  return {
    socket: redis.connection.path,
    async lose() {
      await redis.close()
      remove(folder)
      redis = await start()
    },
    stop: () => redis.close(),
  }
}
