import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'

/**
 * What stands beside the database, in `openseat.db.epoch`: how far it had come, and which files these two were. A copy of
 * either has another inode, a rename within a file system has not; paths and host names say less and change more often.
 */
export type Witness = z.infer<typeof Content>

const Content = z.object({
  epoch: z.number().int().nonnegative(),
  /** Inodes. */
  self: z.string(),
  database: z.string(),
  /** A hash of the machine's id; null where there is none, as in containers. */
  machine: z.string().nullable(),
})

/** What is there now, as it was written and as it is at this moment. Null: none, or unreadable. */
export function readWitness(database: string): { wrote: Witness; now: Omit<Witness, 'epoch'> } | null {
  const file = witnessFile(database)
  try {
    const wrote = Content.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { wrote, now: { self: inode(file), database: inode(database), machine: machineId() } }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null
    if (error instanceof z.ZodError) return null
    throw error
  }
}

/** Writes it whole or not at all, and onto the disk. One writer at a time: the caller holds the database's write lock. */
export function writeWitness(database: string, epoch: number): void {
  const file = witnessFile(database)
  const draft = `${file}.new`
  rmSync(draft, { force: true }) // left by a kill, or a link that someone planted: a new file follows none
  const fd = openSync(draft, 'wx', 0o600)
  try {
    const self = fstatSync(fd, { bigint: true }).ino.toString()
    const content: Witness = { epoch, self, database: inode(database), machine: machineId() }
    // A command that root runs must not leave a file that the service cannot read; SQLite does the same with its log.
    const { uid, gid } = statSync(database)
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid)
    writeSync(fd, `${JSON.stringify(content)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder) // else a power cut could bring the older one back, which only hides a copy
  } finally {
    closeSync(folder)
  }
}

const witnessFile = (database: string) => `${database}.epoch`

const inode = (file: string): string => statSync(file, { bigint: true }).ino.toString()

// Only where systemd runs is the id surely the machine's own; an image may bring one to every container, or none.
function machineId(): string | null {
  if (!existsSync('/run/systemd/system')) return null
  try {
    const id = readFileSync('/etc/machine-id', 'utf8').trim()
    return id === '' ? null : createHash('sha256').update(`openseat:${id}`).digest('base64url').slice(0, 16)
  } catch {
    return null
  }
}
