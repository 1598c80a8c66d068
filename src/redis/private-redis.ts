import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'

const READY_WITHIN_MS = 10_000
const WATCH_EVERY_MS = 2_000
/** Longer than any start takes: two tries of up to 10 s, each with up to 5 s to stop. */
const LOCK_TRUSTED_MS = 60_000
/** `sun_path` holds 104 bytes on macOS and 108 on Linux, including the final zero byte. */
const LONGEST_SOCKET_BYTES = 100

export type Log = { info(fields: object, message: string): void; warn(fields: object, message: string): void }

/** `ownedByUs`, `pid`, and `description` describe the current server, so a takeover or restart changes them. */
export type PrivateRedis = {
  readonly connection: { path: string }
  readonly ownedByUs: boolean
  readonly pid: number
  readonly description: string
  close(): Promise<void>
}

/**
 * Starts `binary` (redis-server or valkey-server) with its data in `folder`, or joins the server that another process
 * of this installation already runs there. The server answers PING when this resolves. Until `close()`, it is restarted
 * on the same socket whenever it dies. A server started by this process stops with it, even after SIGKILL. If it
 * cannot start on its data, the data is deleted. Throws with the last lines of the server's log if it does not start
 * within 10 s.
 */
export async function startPrivateRedis(options: {
  folder: string
  binary: string
  log: Log
}): Promise<PrivateRedis> {
  const { binary, log } = options
  const place = preparePlace(options.folder)
  let current = await joinOrStart(place, binary, log)
  let checking: Promise<void> | undefined
  let closing: Promise<void> | undefined
  // A server that dies right after its start is restarted only at the next check, so that it cannot keep us busy.
  let freshlyStarted = true

  const adopt = (server: Server) => {
    current = server
    freshlyStarted = true
    server.watchdog?.once('exit', () => freshlyStarted || check())
    log.info(
      { pid: server.pid, socket: place.socket, owned: server.watchdog !== undefined },
      describe(server, place),
    )
  }
  const restartIfGone = async () => {
    const seen = await probe(place.socket)
    if (seen.kind === 'answers') current = { ...current, pid: seen.pid }
    if (closing || seen.kind !== 'gone') return
    log.warn({ pid: current.pid, socket: place.socket }, 'the private Redis server went away; restarting it')
    await stop(current.watchdog)
    adopt(await joinOrStart(place, binary, log))
  }
  const check = () => {
    checking ??= restartIfGone()
      .catch((err: unknown) => log.warn({ err }, 'the private Redis server is not running yet; trying again'))
      .finally(() => (checking = undefined))
  }
  adopt(current)
  const checks = setInterval(() => {
    freshlyStarted = false
    check()
  }, WATCH_EVERY_MS).unref()

  return {
    connection: { path: place.socket },
    get ownedByUs() {
      return current.watchdog !== undefined
    },
    get pid() {
      return current.pid
    },
    get description() {
      return describe(current, place)
    },
    close() {
      clearInterval(checks)
      closing ??= Promise.resolve(checking).then(() => stop(current.watchdog))
      return closing
    },
  }
}

/** Whether no server runs there, and so no program of this installation. Starts none. */
export async function isPrivateRedisGone(folder: string): Promise<boolean> {
  return (await probe(preparePlace(folder).socket)).kind === 'gone'
}

type Place = { folder: string; data: string; socket: string; lock: string; logFile: string }
/** A server without a watchdog was started by another process. */
type Server = { pid: number; watchdog?: ChildProcess }

const describe = ({ pid, watchdog }: Server, { socket }: Place) =>
  `private Redis server ${watchdog ? 'started' : 'joined; another process started it'} (pid ${pid}, socket ${socket})`

function preparePlace(given: string): Place {
  const folder = resolve(given)
  makePrivateFolder(folder)
  let socket = join(folder, 'redis.sock')
  if (Buffer.byteLength(socket) > LONGEST_SOCKET_BYTES) {
    const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
    socket = join(tmpdir(), `openseat-${name}`, 'redis.sock')
    makePrivateFolder(dirname(socket))
  }
  const at = (name: string) => join(folder, name)
  return { folder, data: at('data'), socket, lock: at('start.lock'), logFile: at('redis.log') }
}

// In a shared temporary folder, another user could create this folder first and have us talk to their server.
function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid } = lstatSync(path)
  if (process.getuid && uid !== process.getuid()) {
    throw new Error(
      `${path} belongs to another user (uid ${uid}). Change its owner to this user, or remove it.`,
    )
  }
  chmodSync(path, 0o700)
}

async function joinOrStart(place: Place, binary: string, log: Log): Promise<Server> {
  const seen = await probe(place.socket)
  if (seen.kind === 'answers') return { pid: seen.pid }
  return withLock(place.lock, async () => {
    const settled = await probeUntil(place.socket, ({ kind }) => kind !== 'silent')
    if (settled.kind === 'answers') return { pid: settled.pid }
    if (settled.kind === 'gone') return startServer(place, binary, log)
    // Two servers on the same files would corrupt them, so a hanging server is never replaced.
    throw new Error(
      `A server listens on ${place.socket} but does not answer PING. Stop it, then start openseat again.`,
    )
  })
}

type Seen = { kind: 'answers'; pid: number } | { kind: 'silent' } | { kind: 'gone' }

/** Asks once. `silent`: something listens but does not answer, for example while it loads its data. */
async function probe(path: string): Promise<Seen> {
  let failure: NodeJS.ErrnoException | undefined
  const redis = new Redis({
    path,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
  })
  redis.on('error', (error) => (failure = error))
  try {
    await redis.connect()
    await redis.ping()
    return { kind: 'answers', pid: Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]) }
  } catch {
    const nobodyListens = failure?.code === 'ENOENT' || failure?.code === 'ECONNREFUSED'
    return { kind: nobodyListens ? 'gone' : 'silent' }
  } finally {
    // On a closed connection, disconnect() would only start a timer that keeps the process alive for 2 s.
    if (redis.status !== 'end') redis.disconnect()
  }
}

async function probeUntil(path: string, enough: (seen: Seen) => boolean): Promise<Seen> {
  const deadline = AbortSignal.timeout(READY_WITHIN_MS)
  let seen = await probe(path)
  while (!enough(seen) && !deadline.aborted) {
    await pause(20)
    seen = await probe(path)
  }
  return seen
}

/**
 * Runs `work` while holding a lock file, so that no other process runs it at the same time. The file holds the pid
 * and start time of its owner. With the pid alone, the first process of a new container would take a lock that an
 * earlier container left behind for its own.
 */
async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const ours = `${process.pid} ${performance.timeOrigin}`
  let trust = { holder: '', until: AbortSignal.timeout(LOCK_TRUSTED_MS) }
  while (!createWith(path, ours)) {
    const holder = readIfThere(path)
    if (holder !== trust.holder) trust = { holder, until: AbortSignal.timeout(LOCK_TRUSTED_MS) }
    // If a live pid holds the lock for too long, the pid now belongs to an unrelated process.
    if (holder && (trust.until.aborted || !isAlive(holder))) removeStale(path, holder)
    else await pause(50)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

// A hard link appears together with its content. After open-then-write, others could read an empty file.
function createWith(path: string, content: string): boolean {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, content, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function isAlive(holder: string): boolean {
  const [pid, startedAt] = holder.split(' ').map(Number)
  if (!pid) return false
  if (pid === process.pid) return startedAt === performance.timeOrigin
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

// Another process may have replaced the stale lock since we read it. If so, put back what we moved.
function removeStale(path: string, holder: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = readFileSync(aside, 'utf8')
  if (moved !== holder) createWith(path, moved)
  rmSync(aside)
}

async function startServer(place: Place, binary: string, log: Log): Promise<Server> {
  mkdirSync(place.data, { recursive: true, mode: 0o700 })
  const hadData = readdirSync(place.data).length > 0
  const first = await launch(place, binary)
  if (first.kind === 'started') return first
  // Redis holds only wake-ups, and the sweep re-creates them from the ledger.
  if (!hadData || first.kind === 'not-runnable') throw new Error(first.reason)
  log.warn(
    { folder: place.data, reason: first.reason },
    'Redis did not start on its old data; starting it empty',
  )
  rmSync(place.data, { recursive: true })
  mkdirSync(place.data, { mode: 0o700 })
  const second = await launch(place, binary)
  if (second.kind === 'started') return second
  throw new Error(second.reason)
}

type Launch =
  | { kind: 'started'; pid: number; watchdog: ChildProcess }
  | { kind: 'failed' | 'not-runnable'; reason: string }

// `read` returns when our end of the pipe closes, which also happens when we are killed. When the server exits, the
// whole process group is ended.
const WATCHDOG = `
exec 3<&0
"$@" 3<&- >&2 & server=$!
(read -r _ <&3; kill $server; sleep 5; kill -9 $server) 2>/dev/null &
wait $server; status=$?
trap '' TERM; kill -TERM 0
exit $status`

async function launch(place: Place, binary: string): Promise<Launch> {
  const logFd = openSync(place.logFile, 'w', 0o600)
  // `detached` gives it a process group of its own: Ctrl-C must not stop Redis before our work is finished.
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'openseat-redis', binary, ...serverOptions(place)], {
    detached: true,
    stdio: ['pipe', 'ignore', logFd],
  })
  closeSync(logFd)
  watchdog.unref()
  watchdog.stdin?.on('error', () => {}) // EPIPE if the server died first
  const seen = await probeUntil(place.socket, ({ kind }) => kind === 'answers' || hasExited(watchdog))
  if (seen.kind === 'answers') return { kind: 'started', pid: seen.pid, watchdog }
  const status = watchdog.exitCode
  await stop(watchdog)
  const how = status === null ? `did not answer within ${READY_WITHIN_MS / 1000} s` : `exited with ${status}`
  const reason = `The private Redis server (${binary}) ${how}. Its last lines:\n${lastLines(place.logFile)}`
  return { kind: status === 126 || status === 127 ? 'not-runnable' : 'failed', reason }
}

const serverOptions = ({ data, socket }: Place): string[] =>
  Object.entries({
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    'protected-mode': 'yes',
    daemonize: 'no',
    dir: data,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  }).flatMap(([name, value]) => [`--${name}`, value])

const hasExited = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

/** Closes the watchdog's pipe: it sends the server SIGTERM, and SIGKILL after 5 s. */
async function stop(watchdog: ChildProcess | undefined): Promise<void> {
  if (!watchdog || hasExited(watchdog)) return
  watchdog.ref()
  const exited = once(watchdog, 'exit')
  watchdog.stdin?.end()
  await exited
}

const lastLines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n').slice(-12).join('\n')
