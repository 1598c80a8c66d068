import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

const INSTALLED = '/usr/lib/postgresql'
const INSTALL =
  'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql'

/** A Postgres for tests alone: on a socket in a temporary folder, with `port` also on a free one, and gone after `close`. */
export type PostgresServer = {
  /** The address of one of its databases. */
  url(database: string): string
  /** The port on 127.0.0.1; null: only the socket. */
  port: number | null
  /** The process of the server, to kill or stop it. */
  process(): ChildProcess
  restart(): Promise<void>
  /** Kills it and all that it started, as a power cut of its machine does, and starts it again. */
  crash(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts Debian's Postgres, and installs it first where this is root. Throws with the line that installs it. `safe`: with
 * its writes on the disk, for tests that kill it.
 */
export async function startPostgres({ safe = false, port: wantsPort = false } = {}): Promise<PostgresServer> {
  const bin = findOrInstall()
  const folder = mkdtempSync(join(tmpdir(), 'openseat-postgres-'))
  const owner = ownerOf()
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  const init = ['-D', data, '-A', 'trust', '-U', 'openseat', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
  const made = spawnSync(join(bin, 'initdb'), init, { ...owner, encoding: 'utf8', cwd: folder })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const unsafe = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off']
  const port = wantsPort ? await freePort() : null
  const options = [
    ...(port === null
      ? ['-c', 'listen_addresses=']
      : ['-c', 'listen_addresses=127.0.0.1', '-p', String(port)]),
    ...['-c', `unix_socket_directories=${folder}`, '-c', 'max_connections=200'],
  ]
  const start = async () => {
    const server = spawn(join(bin, 'postgres'), ['-D', data, ...options, ...(safe ? [] : unsafe)], {
      ...owner,
      cwd: folder,
      stdio: 'ignore',
    })
    await answers(url('postgres'))
    return server
  }
  const url = (database: string) =>
    `postgres://openseat@localhost:${port ?? 5432}/${database}?host=${encodeURIComponent(folder)}`
  let server = await start()
  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGINT') // "fast": connections are cut
    await new Promise((resolve) => server.once('exit', resolve))
  }
  return {
    url,
    port,
    process: () => server,
    async restart() {
      await stop()
      server = await start()
    },
    async crash() {
      server.kill('SIGQUIT') // "immediate": nothing is written that was not
      await new Promise((resolve) => server.once('exit', resolve))
      server = await start()
    },
    async close() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A new, empty database on it; returns its address. */
export async function aDatabaseOn(server: PostgresServer): Promise<string> {
  const name = `database_${Math.random().toString(36).slice(2)}`
  const client = new pg.Client({ connectionString: server.url('postgres') })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return server.url(name)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

async function answers(url: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (tried === 100) throw error
      await pause(100)
    }
  }
}

function findOrInstall(): string {
  const found = newest()
  if (found) return found
  if (process.getuid?.() !== 0)
    throw new Error(`Postgres is not installed. Install it with: sudo sh -c '${INSTALL}'`)
  process.stderr.write(`Postgres is missing. It is needed for these tests. Running: ${INSTALL}\n`)
  spawnSync('/bin/sh', ['-c', INSTALL], { stdio: ['ignore', 2, 2] })
  const installed = newest()
  if (installed) return installed
  throw new Error(`Postgres could not be installed with: ${INSTALL}`)
}

function newest(): string | null {
  if (!existsSync(INSTALLED)) return null
  const versions = readdirSync(INSTALLED).filter((name) => existsSync(join(INSTALLED, name, 'bin/initdb')))
  const version = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1)
  return version ? join(INSTALLED, version, 'bin') : null
}

/** Postgres does not run as root, so root runs it as the user that Debian's package made for it. */
function ownerOf(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('postgres:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (!uid || !gid) throw new Error('there is no user "postgres" to run it as')
  return { uid: Number(uid), gid: Number(gid) }
}
