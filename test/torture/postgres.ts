import { setTimeout as pause } from 'node:timers/promises'
import { syncDb } from '../postgres/sync.ts'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  makeInstallation,
  rowFor,
  startWorker,
  stir,
  stopPrograms,
} from './installation.ts'
import { KILL_WAITS } from './kills.ts'
import { until } from './programs.ts'
import type { Context, Row, Scenario } from './scenario.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const WORKERS = 3
const RECIPIENTS = 1_500

type Trouble = (installation: Installation, context: Context, proxy: TcpProxy) => Promise<void>

/** What happens to Postgres, twice while an edition goes out. */
const TROUBLES: Record<string, Trouble> = {
  'Postgres restarted': async (_installation, { postgres }) => postgres?.restart(),
  'Postgres killed': async (_installation, { postgres }) => postgres?.crash(),
  'connections cut': async ({ settings }) =>
    void syncDb(settings.DATABASE_URL ?? '')
      .$client.prepare(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'openseat'`,
      )
      .all(),
  'connections black-holed': async (_installation, _context, proxy) => void proxy.blackHole(4_000),
  'Redis flushed': async ({ redis }) => redis?.flush(),
}

export const scenarios: Scenario[] = Object.entries(TROUBLES).map(([name, trouble]) => ({
  name,
  group: 'postgres',
  quick: name === 'Postgres killed',
  onPostgres: 'only',
  run: async (context) => [await troubled(context, name, trouble)],
}))

/** Three workers, each a process of its own; a kill, the trouble, a kill, and the trouble again. */
async function troubled(context: Context, name: string, trouble: Trouble): Promise<Row> {
  const proxy = await startTcpProxy({ port: context.postgres?.port ?? 0, host: '127.0.0.1' })
  const installation = await makeInstallation(context, {
    subscribers: RECIPIENTS,
    settings: { RESEND_REQUESTS_PER_SECOND: '5' },
  })
  const through = { DATABASE_URL: throughProxy(installation.settings.DATABASE_URL ?? '', proxy.port) }
  const start = () => startWorker(installation, { waits: KILL_WAITS, env: through })
  try {
    const workers = Array.from({ length: WORKERS }, start)
    let kills = 0
    for (const share of [0.2, 0.5]) {
      const accepted = async () => (await installation.standIn.summary()).accepted
      await until(async () => (await accepted()) >= RECIPIENTS * share, 'mail goes out', 90_000)
      await workers.shift()?.kill()
      kills += 1
      await trouble(installation, context, proxy)
      await pause(500)
      workers.push(start())
    }
    await until(() => reached(() => stir(installation)), 'Postgres answers again', 60_000)
    for (const worker of workers) if (worker.hasEnded()) start()
    const isThrough = await awaitThrough(installation)
    await stopPrograms(installation)
    const problems = isThrough ? [] : ['the edition was not through in two minutes']
    return await rowFor(installation, name, { kills, problems })
  } finally {
    await closeInstallation(installation)
    await proxy.close()
  }
}

function throughProxy(url: string, port: number): string {
  const address = new URL(url)
  address.searchParams.delete('host')
  address.hostname = '127.0.0.1'
  address.port = String(port)
  return address.href
}

function reached(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
