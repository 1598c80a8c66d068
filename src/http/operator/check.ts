import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs, demand } from '../../actions/operators/acting.ts'
import type { App } from '../../app.ts'
import type { Check } from '../../resend/check.ts'
import { whenIn } from './when.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'actor' | 'log'>

/** What the last run of the checks found, until the program ends. */
type Last = { checks: readonly Check[]; at: Date }

const ORDER = { fail: 0, warn: 1, ok: 2 } as const

/** Adds `/check`: what `openseat doctor` checks, run when asked for. */
export function addCheckRoutes(server: FastifyInstance, app: Needs): void {
  const see = { config: { may: 'check.see' as const } }
  let last: Last | null = null
  let running: Promise<Last> | null = null

  server.get('/check', see, (_request, reply) => show(app, reply, last))
  server.post('/check', see, async (request: FastifyRequest, reply) => {
    demand(actingAs(app, request.actor), 'check.see')
    // Who presses twice waits for the same run: each asks Resend several times.
    running ??= run(app).finally(() => (running = null))
    last = await running
    return reply.redirect('/check', 303)
  })
}

async function run({ config, log, now }: Needs): Promise<Last> {
  // Loaded only here, as it opens everything once more.
  const { examine } = await import('../../doctor/doctor.ts')
  return { checks: await examine(config, { log, now }), at: now() }
}

function show({ config }: Needs, reply: FastifyReply, last: Last | null): FastifyReply {
  const { words } = reply
  const checks = last?.checks.toSorted((one, other) => ORDER[one.status] - ORDER[other.status]) ?? []
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  return reply.show('check', {
    title: words.t('nav.check'),
    at: last && whenIn(last.at, config.slotRule.timeZone, words),
    sum: words.t('check.sum', { fail: count('fail'), warn: count('warn') }),
    checks: checks.map(({ name, status, detail, fix = null }) => ({
      name,
      detail,
      fix,
      ok: status === 'ok',
      status: words.t(`check.status.${status}`),
    })),
  })
}
