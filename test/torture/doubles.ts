import { setTimeout as pause } from 'node:timers/promises'
import { planEdition } from '../../src/actions/editions/plan.ts'
import { loadConfig } from '../../src/config.ts'
import { slotAtOrBefore } from '../../src/core/time/calendar.ts'
import { openLog } from '../../src/log.ts'
import { openApp } from '../../src/open-app.ts'
import {
  batchesOf,
  finish,
  midway,
  SHORT_LOCKS,
  startWorkers,
  WAITS,
  withInstallation,
} from './double-run.ts'
import { type Installation, startProgram } from './installation.ts'
import { until, withRedis } from './programs.ts'
import type { Context, Row, Scenario } from './scenario.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const RECOVERS_WITHIN_MS = 15_000

export const scenarios: Scenario[] = [
  {
    name: 'two schedulers',
    onPostgres: true,
    group: 'doubles',
    quick: true,
    run: async (context) => [await twoStarts(context)],
  },
  {
    name: 'the same minute ten times',
    onPostgres: true,
    group: 'doubles',
    quick: false,
    run: async (context) => [await manyBells(context)],
  },
  { name: 'Redis that hangs or hangs up', group: 'doubles', quick: false, run: redisFaults },
  { name: 'a black hole', group: 'doubles', quick: false, run: blackHoles },
]

/** `start` twice on one machine with a shared Redis, and `edition send` twice as well: one edition, one email each. */
async function twoStarts(context: Context): Promise<Row> {
  return withInstallation(context, { redis: false }, async (installation) => {
    const starts = [1, 2].map(() => startProgram(installation, ['start'], { waits: WAITS }))
    const problems: string[] = []
    const sends = [1, 2].map(() => startProgram(installation, ['edition', 'send']))
    await until(() => sends.every((send) => send.hasEnded()), 'both sent', 60_000).catch(() => {})
    for (const send of sends) {
      const code = send.hasEnded() ? (await send.ended).code : null
      if (code !== 0) problems.push(`edition send ended with ${code}: ${send.output().trim().slice(-300)}`)
    }
    await until(() => starts.every((start) => /openseat is running/.test(start.output())), 'both run').catch(
      () => problems.push('one of them never ran'),
    )
    return finish(installation, 'two schedulers, and `edition send` twice', { problems })
  })
}

/** Three workers start on a queue with ten wake-ups for every sweep and every batch. */
async function manyBells(context: Context): Promise<Row> {
  const settings = { RESEND_REQUESTS_PER_SECOND: '1000' }
  return withInstallation(context, { settings }, async (installation) => {
    const bells = await openApp(loadConfig(installation.settings), { log: openLog('silent') })
    try {
      await planEdition(bells, slotAtOrBefore(bells.config.slotRule, bells.now()))
      await bells.queue.wakeBatches(batchesOf(installation).flatMap((id) => Array<number>(10).fill(id)))
      for (let round = 0; round < 10; round += 1) await bells.queue.wakeSweep()
    } finally {
      await bells.close()
    }
    startWorkers(installation, 3, WAITS)
    return finish(installation, 'the same minute ten times, three workers', { mustDouble: true })
  })
}

type Strike = (installation: Installation) => Promise<void>

const STRIKES: Record<string, Strike> = {
  'DEBUG SLEEP 3': ({ redis }) => withPort(redis, (port) => withRedis(port, (it) => it.debug('SLEEP', 3))),
  'Redis stopped for 3 s': async ({ redis }) => {
    const server = redis?.program().child
    server?.kill('SIGSTOP')
    await pause(3_000)
    server?.kill('SIGCONT')
  },
  'connections killed ten times': async ({ redis }) => {
    for (let round = 0; round < 10; round += 1) {
      await withPort(redis, (port) => withRedis(port, (it) => it.call('CLIENT', 'KILL', 'TYPE', 'normal')))
      await pause(250)
    }
  },
}

async function redisFaults(context: Context): Promise<Row[]> {
  return Promise.all(
    Object.entries(STRIKES).map(([name, strike]) =>
      withInstallation(context, {}, async (installation) => {
        startWorkers(installation, 2, SHORT_LOCKS)
        await midway(installation)
        await strike(installation)
        return finish(installation, name, {})
      }),
    ),
  )
}

/** For three seconds, the network between a worker and Redis loses everything, and it drops all connections. */
async function blackHoles(context: Context): Promise<Row[]> {
  return Promise.all([blackHole(context, false), blackHole(context, true)])
}

async function blackHole(context: Context, flushed: boolean): Promise<Row> {
  return withInstallation(context, {}, async (installation) => {
    const proxy = await startTcpProxy({ port: installation.redis?.port ?? 0, host: '127.0.0.1' })
    installation.settings.REDIS_URL = `redis://127.0.0.1:${proxy.port}`
    try {
      // Uses the program's real waits, since this measures how long it takes.
      startWorkers(installation, 1, {})
      await midway(installation)
      return await fallSilent(installation, proxy, flushed)
    } finally {
      await proxy.close()
    }
  })
}

async function fallSilent(installation: Installation, proxy: TcpProxy, flushed: boolean): Promise<Row> {
  const lost = proxy.blackHole(3_000)
  if (flushed) await installation.redis?.flush()
  const { longest, through } = await longestPause(installation)
  // If the wake-ups are lost too, the guard's interval of ten seconds is added.
  const limit = flushed ? RECOVERS_WITHIN_MS + 10_000 : RECOVERS_WITHIN_MS
  const problems = through && longest <= limit ? [] : [`nothing went on for ${tenths(longest)}`]
  if (lost === 0) problems.push('no connection went through the proxy')
  return finish(installation, flushed ? 'a black hole, and Redis flushed' : 'a black hole', {
    problems,
    note: `${lost} connections lost, going on after ${tenths(longest)}`,
  })
}

/** Measures the longest pause between two accepted batches, until the edition is finished. */
async function longestPause({ standIn, ledger }: Installation) {
  const open = ledger.prepare("select count(*) from batches where state in ('planned', 'submitting')").pluck()
  const started = performance.now()
  let [accepted, since, longest] = [-1, started, 0]
  while (performance.now() - started < 60_000) {
    const summary = await standIn.summary()
    const now = performance.now()
    longest = Math.max(longest, now - since)
    if (summary.accepted !== accepted) [accepted, since] = [summary.accepted, now]
    if (Number(open.get()) === 0) return { longest, through: true }
    await pause(50)
  }
  return { longest, through: false }
}

const tenths = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

async function withPort<T>(redis: Installation['redis'], use: (port: number) => Promise<T>): Promise<void> {
  if (redis) await use(redis.port)
}
