import type { Command } from 'commander'
import type { App } from '../app.ts'
import { collect } from '../core/weighed.ts'
import type { Serving } from '../http/listen.ts'
import { openLog } from '../log.ts'
import { when } from './layout.ts'
import { aborted, finishes, stopSignal } from './signals.ts'
import { command, type Terminal } from './terminal.ts'

type Parts = { web: boolean; worker: boolean }

const PARTS: Record<string, { parts: Parts; description: string }> = {
  start: {
    parts: { web: true, worker: true },
    description: 'run everything in one process: the pages and the weekly email',
  },
  web: {
    parts: { web: true, worker: false },
    description: 'run only the pages; sending needs a worker too',
  },
  worker: {
    parts: { web: false, worker: true },
    description: 'run only the weekly email; its links need the pages',
  },
}

const MANNERS = `
Updates the database schema first. Logs go to stderr: in words on a terminal, and
as JSON lines anywhere else. SIGTERM and SIGINT finish current work, for at most
30 seconds, and exit with 0; a second one stops at once. Either way, nothing is
lost or sent twice.
`

/** Adds `start`, `web` and `worker`. */
export function addStart(openseat: Command, terminal: Terminal): void {
  for (const [name, { parts, description }] of Object.entries(PARTS))
    openseat
      .command(name)
      .description(description)
      .action(command(terminal, () => run(terminal, parts)))
      .addHelpText('after', `${MANNERS}\nExample:\n  $ openseat ${name}`)
}

async function run(terminal: Terminal, { web, worker }: Parts): Promise<number> {
  const config = await terminal.config()
  const { openApp } = await import('../open-app.ts')
  const log = openLog(config.LOG_LEVEL)
  const stop = stopSignal(() => log.info('stopping after current work; signal again to stop now'))
  const app = await openApp(config, { log })
  const { server, working } = await startParts(app, { web, worker }).catch(async (error: unknown) => {
    // The private Redis and its connections would keep an idle process alive.
    await app.close()
    throw error
  })
  await announce(app, { address: server?.address ?? null, web, worker })
  collect() // what only the start needed; a process that waits for Monday would seldom collect it

  await aborted(stop)
  const inTime = await finishes([server?.close() ?? Promise.resolve(), working?.stop() ?? Promise.resolve()])
  if (!inTime) app.log.warn('current work takes too long; the next start continues it')
  const closed = await finishes([app.close()])
  app.log.info('stopped')
  // Unfinished work would keep the process alive.
  if (!inTime || !closed) process.exit(0)
  return 0
}

async function startParts(app: App, { web, worker }: Parts) {
  const server = await serve(app, web)
  try {
    const working = worker ? await (await import('../worker.ts')).startWorker(app, { scheduled: true }) : null
    return { server, working }
  } catch (error) {
    await server?.close()
    throw error
  }
}

/** Serves the pages of readers and of operators, or for a worker alone its health and metrics, if METRICS_PORT is set. */
async function serve(app: App, web: boolean): Promise<Serving | null> {
  const { METRICS_PORT: port } = app.config
  if (!web && port === undefined) return null
  const { startServer, startWatchServer } = await import('../http/server.ts')
  if (!web && port !== undefined) return startWatchServer(app, port)
  const pages = await startServer(app)
  try {
    const { startOperatorServer } = await import('../http/operator/server.ts')
    const operators = await startOperatorServer(app)
    return {
      address: pages.address,
      close: async () => void (await Promise.all([pages.close(), operators?.close()])),
    }
  } catch (error) {
    await pages.close()
    throw error
  }
}

async function announce(
  { log, config, now }: App,
  { address, web, worker }: Parts & { address: string | null },
): Promise<void> {
  const { nextSlot } = await import('../core/time/calendar.ts')
  const { slotRule, practice, REDIS_URL } = config
  log.info(
    {
      practice,
      ...(address && { address, serves: web ? 'pages' : 'metrics' }),
      redis: REDIS_URL ? new URL(REDIS_URL).host : 'private',
      ...(worker && { nextEdition: when(nextSlot(slotRule, now()).at, slotRule.timeZone) }),
    },
    'openseat is running',
  )
}
