import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import { openRedis } from '../open-queue.ts'
import { openQueue } from '../redis/queue.ts'
import type { Check } from '../resend/check.ts'
import { LEAST_FREE_BYTES } from './readings.ts'

const GB = 1024 ** 3

/** Checks the disk and folder of the database: free space, permissions, owner, and that it is a local disk. */
export async function checkDisk(config: Config): Promise<Check[]> {
  const path = resolve(config.DATABASE_PATH)
  const folder = await nearestFolder(dirname(path))
  if (!(await mayWrite(folder))) {
    const fix = 'Let the user that runs Openseat write there, or change DATABASE_PATH.'
    return [{ name: 'disk', status: 'fail', detail: `${folder} cannot be written`, fix }]
  }
  const { bavail, bsize, type } = await statfs(folder)
  return [roomCheck(bavail * bsize, folder), ...fileSystemCheck(type, folder), ...(await ownerChecks(path))]
}

/** Whether this many free bytes are enough. */
export function roomCheck(free: number, folder: string): Check {
  const name = 'disk'
  const detail = `${(free / GB).toFixed(1)} GB free in ${folder}`
  const fix = 'Free some space: if the disk is full, no email is sent.'
  if (free >= GB) return { name, status: 'ok', detail }
  return { name, status: free < 2 * LEAST_FREE_BYTES ? 'fail' : 'warn', detail, fix }
}

// Types in Linux's statfs(2). Other systems use other numbers, and match none of these.
const NETWORK: Record<number, string> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xfe534d42: 'SMB',
  0xff534d42: 'CIFS',
  0x01021997: '9P',
  0x00c36400: 'Ceph',
  0x0bd00bd0: 'Lustre',
  0x5346414f: 'AFS',
  0x47504653: 'GPFS',
}

/** Fails on a file system that several machines can share. https://www.sqlite.org/wal.html#overview */
export function fileSystemCheck(type: number, folder: string): Check[] {
  const found = NETWORK[type >>> 0]
  if (found === undefined) return []
  const detail = `${folder} is on a network file system (${found}), whose locks SQLite cannot trust`
  const fix = 'Move the database to a disk of this machine and change DATABASE_PATH.'
  return [{ name: 'file system', status: 'fail', detail, fix }]
}

async function ownerChecks(path: string): Promise<Check[]> {
  const [file, folder] = [await stat(path).catch(() => null), await stat(dirname(path)).catch(() => null)]
  if (!file || !folder || !process.getuid) return []
  const checks: Check[] = []
  const name = 'rights'
  if (file.uid !== process.getuid())
    checks.push({
      name,
      status: 'warn',
      detail: `${path} belongs to another user (uid ${file.uid})`,
      fix: 'Run every command as the user of the service, which otherwise cannot write the files: sudo -u openseat …',
    })
  if ((file.mode & 0o044) > 0 && (folder.mode & 0o011) > 0)
    checks.push({
      name,
      status: 'warn',
      detail: `${path} can be read by other users of this machine`,
      fix: `Keep others from reading the list: chmod 700 ${dirname(path)}`,
    })
  return checks
}

/** Checks Redis and its policy, and counts the workers; null if it cannot be asked. */
export async function checkQueue(
  config: Config,
  log: Logger,
  prefix: string,
): Promise<{ check: Check; workers: number | null }> {
  const name = 'Redis'
  const closers: (() => Promise<void>)[] = []
  try {
    const redis = await openRedis(config, log)
    closers.push(() => redis.close())
    // Opening it checks version, permissions, and policy, and says how to fix each.
    const queue = await openQueue({ redis: redis.address, prefix, log })
    closers.push(() => queue.close())
    const workers = await queue.workers()
    const working = workers ? `${workers} at work` : 'no worker running now'
    return {
      check: { name, status: 'ok', detail: `${redis.where}, keeps what is queued; ${working}` },
      workers,
    }
  } catch (error) {
    return { check: { name, status: 'fail', detail: (error as Error).message }, workers: null }
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

async function nearestFolder(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere || path === dirname(path) ? path : nearestFolder(dirname(path))
}

const mayWrite = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
