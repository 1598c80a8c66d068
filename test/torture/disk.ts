import { spawn } from 'node:child_process'
import { chmodSync, chownSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Breakage, brokenWhileSending } from './broken-disk.ts'
import { breakCalls, Missing, mountDisk } from './disk-faults.ts'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  makeInstallation,
  rowFor,
  stopPrograms,
} from './installation.ts'
import { type Program, watch } from './programs.ts'
import { type Context, plainRow, type Row, type Scenario } from './scenario.ts'
import { tornLogs } from './torn-log.ts'

const LOCKED_MS = 30_000
const NOBODY = 65_534

export const scenarios: Scenario[] = [
  {
    name: 'a full disk',
    group: 'disk',
    quick: false,
    run: (context) => apart(context, 'a full disk', fullDisk),
  },
  { name: 'a failing disk', group: 'disk', quick: false, run: failingDisk },
  {
    name: 'a locked database',
    group: 'disk',
    quick: false,
    run: (context) => apart(context, 'a locked database, 30 s', lockedDatabase),
  },
  {
    name: 'a read-only file',
    group: 'disk',
    quick: true,
    run: (context) => apart(context, 'a read-only file', readOnlyFile),
  },
  {
    name: 'a torn log',
    group: 'disk',
    quick: true,
    run: (context) => apart(context, 'a torn log', tornLogs),
  },
]

/** One row. If a program that the test needs is missing, it fails with the command line that installs it. */
async function apart(
  context: Context,
  scenario: string,
  run: (context: Context) => Promise<Row>,
): Promise<Row[]> {
  try {
    return [await run(context)]
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    return [plainRow({ scenario, passed: false, note: error.message })]
  }
}

/** The database and its other files on a disk that fills up. Without the right to mount, writes fail with ENOSPC instead. */
async function fullDisk(context: Context): Promise<Row> {
  const scenario = 'a full disk'
  const folder = join(context.scratch, 'disk')
  const disk = mountDisk(folder, 48)
  if (disk === null) {
    const strike = refuse('pwrite64,write,ftruncate,fallocate:error=ENOSPC')
    return brokenWhileSending(context, { scenario: `${scenario}, injected`, strike })
  }
  try {
    return await brokenWhileSending(
      { ...context, scratch: folder },
      {
        scenario,
        strike: async () => {
          disk.fill()
          return disk.empty
        },
      },
      { redis: false },
    )
  } finally {
    disk.unmount()
  }
}

async function failingDisk(context: Context): Promise<Row[]> {
  const fsync = refuse('fsync,fdatasync:error=EIO')
  const cases: Breakage[] = [
    { scenario: 'fsync fails', strike: fsync },
    { scenario: 'fsync fails, then kill -9', strike: fsync, killed: true },
    { scenario: 'writes fail', strike: refuse('pwrite64:error=EIO') },
    { scenario: 'the disk becomes read-only', strike: refuse('pwrite64,ftruncate:error=EROFS') },
  ]
  const rows: Row[] = []
  while (cases.length > 0) {
    const two = cases.splice(0, 2)
    const run = (one: Breakage) => apart(context, one.scenario, () => brokenWhileSending(context, one))
    rows.push(...(await Promise.all(two.map(run))).flat())
  }
  return rows
}

const refuse =
  (inject: string): Breakage['strike'] =>
  async ({ file }, worker) =>
    breakCalls(worker.pid, inject, [file, `${file}-wal`])

async function lockedDatabase(context: Context): Promise<Row> {
  return brokenWhileSending(context, {
    scenario: 'a locked database, 30 s',
    brokenMs: LOCKED_MS,
    async strike({ file }) {
      const other = new Database(file, { timeout: 20_000 })
      other.exec('begin exclusive')
      return () => {
        other.exec('commit')
        other.close()
      }
    },
  })
}

/** Started as a user who may only read the file: it must exit with the reason, email no one, and work once it may write. */
async function readOnlyFile(context: Context): Promise<Row> {
  const installation = await makeInstallation(context, { subscribers: 300 })
  const { file, folder } = installation
  const files = () => readdirSync(folder).map((name) => join(folder, name))
  try {
    installation.ledger.pragma('wal_checkpoint(TRUNCATE)')
    chmodSync(context.scratch, 0o755)
    if (process.getuid?.() === 0) for (const path of [folder, ...files()]) chownSync(path, NOBODY, NOBODY)
    for (const path of files()) if (path.startsWith(file)) chmodSync(path, 0o444)
    chmodSync(folder, 0o555)
    const refused = startAsNobody(installation)
    const { code } = await refused.ended
    const problems: string[] = []
    if (code !== 1) problems.push(`it ended with ${code} where 1 was to be`)
    if (!/cannot be used: this user may not write/.test(refused.output()))
      problems.push(`it said: ${refused.output().trim()}`)
    if ((await installation.standIn.summary()).accepted > 0) problems.push('mail went out')

    chmodSync(folder, 0o755)
    for (const path of files()) if (path.startsWith(file)) chmodSync(path, 0o644)
    startAsNobody(installation)
    if (!(await awaitThrough(installation))) problems.push('not through once it could be written')
    await stopPrograms(installation)
    const note = 'refused with exit 1 and the reason; mailed once it could be written'
    return await rowFor(installation, 'a read-only file', { problems, note })
  } finally {
    await closeInstallation(installation)
  }
}

// Root can write anything.
function startAsNobody(installation: Installation): Program {
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const { NODE_COMPILE_CACHE: _cache, ...settings } = installation.settings
  const who = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const env = { PATH: process.env.PATH, ...settings }
  const program = watch(spawn(process.execPath, [cli, 'worker'], { cwd: installation.folder, env, ...who }))
  installation.programs.push(program)
  return program
}
