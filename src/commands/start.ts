import type { Command } from 'commander'
import type { App } from '../app.ts'
import { openLog } from '../log.ts'
import { when } from './layout.ts'
import { aborted, finishes, stopSignal } from './signals.ts'
import { door, type Terminal } from './terminal.ts'

type Parts = { web: boolean; worker: boolean }

const PARTS: Record<string, { parts: Parts; description: string }> = {
  start: {
    parts: { web: true, worker: true },
    description: 'run everything in one process: the pages and the weekly mail',
  },
  web: {
    parts: { web: true, worker: false },
    description: 'run only the pages; mail needs a worker beside it',
  },
  worker: {
    parts: { web: false, worker: true },
    description: 'run only the weekly mail; links in it need the pages',
  },
}

const MANNERS = `
The database is brought up to date first. Logs are JSON lines on stderr.
SIGTERM and SIGINT finish what is in flight, for 30 seconds at most, and exit
with 0; a second one ends at once. Nothing is lost or mailed twice either way.
`

/** Adds `start`, `web` and `worker`. */
export function addStart(openseat: Command, terminal: Terminal): void {
  for (const [name, { parts, description }] of Object.entries(PARTS))
    openseat
      .command(name)
      .description(description)
      .action(door(terminal, () => run(terminal, parts)))
      .addHelpText('after', `${MANNERS}\nExample:\n  $ openseat ${name}`)
}

async function run(terminal: Terminal, { web, worker }: Parts): Promise<number> {
  const config = await terminal.config()
  const { openApp } = await import('../app.ts')
  const log = openLog(config.LOG_LEVEL)
  const stop = stopSignal(() =>
    log.info('stopping: what is in flight is finished first; again to end at once'),
  )
  const app = await openApp(config, { log })
  const server = web ? await (await import('../http/server.ts')).startServer(app) : null
  const working = worker ? await (await import('../worker.ts')).startWorker(app, { scheduled: true }) : null
  await announce(app, server?.address ?? null, worker)

  await aborted(stop)
  const inTime = await finishes([server?.close() ?? Promise.resolve(), working?.stop() ?? Promise.resolve()])
  if (!inTime) app.log.warn('what is in flight takes too long: left to the next start')
  const closed = await finishes([app.close()])
  app.log.info('stopped')
  // Whatever did not finish would keep the process alive.
  if (!inTime || !closed) process.exit(0)
  return 0
}

async function announce({ log, config, now }: App, address: string | null, worker: boolean): Promise<void> {
  const { nextSlot } = await import('../core/calendar.ts')
  const { slotRule, practice, REDIS_URL } = config
  log.info(
    {
      practice,
      ...(address && { address }),
      redis: REDIS_URL ? new URL(REDIS_URL).host : 'private',
      ...(worker && { nextEdition: when(nextSlot(slotRule, now()).at, slotRule.timeZone) }),
    },
    'openseat is running',
  )
}
