import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { readings } from '../doctor/readings.ts'

type Needs = Parameters<typeof readings>[0] & Pick<App, 'config' | 'metrics'>

const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/
const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/
const PUT_BY_PROXIES = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]

/**
 * `/metrics`, for Prometheus. Needs the bearer token METRICS_TOKEN if that is set, else a direct request from this machine.
 * Everyone else gets 404.
 */
export function addMetricsRoute(server: FastifyInstance, app: Needs): void {
  const { METRICS_TOKEN: token } = app.config
  app.metrics.watchEventLoop()
  let scrape: Promise<string> | null = null
  server.get('/metrics', async (request, reply) => {
    if (token ? !bears(token, request) : !isLocal(request)) return reply.callNotFound()
    // Two scrapes at once would mix up the gauges, so they share one reading.
    scrape ??= readings(app)
      .then((read) => app.metrics.text(read))
      .finally(() => {
        scrape = null
      })
    return reply.type(app.metrics.contentType).send(await scrape)
  })
}

function bears(token: string, { headers }: FastifyRequest): boolean {
  const [, given = ''] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

// Behind a proxy on this machine, everyone comes from 127.0.0.1. A proxy adds a header, asks for the public host name, or
// uses HTTP/1.0. `doctor` finds one that does none of this.
function isLocal({ raw, headers, socket }: FastifyRequest): boolean {
  return (
    LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '') &&
    LOOPBACK_NAME.test(headers.host ?? '') &&
    raw.httpVersion !== '1.0' &&
    !PUT_BY_PROXIES.some((name) => name in headers)
  )
}
