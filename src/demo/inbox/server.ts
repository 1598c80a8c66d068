import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { type Mailbox, openMailbox } from './mailbox.ts'
import { type Example, FILES, framed, inboxPage, notePage, View } from './pages.ts'
import { openReporter } from './reports.ts'
import { type Account, addResendApi } from './resend-api.ts'

export type Inbox = Awaited<ReturnType<typeof startInbox>>

type Options = {
  port: number
  account: Account
  now: () => Date
  examples: readonly Example[]
  /** The groups that can be reserved, by the last part of their link. */
  groups: ReadonlyMap<string, string>
  /** Where Resend would report what became of an email. */
  reports: { endpoint: string; secret: string }
}

const NO_SCRIPTS =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"

/**
 * The demo's stand-in for Resend on this machine: takes what Openseat sends, emails no one, and shows it. Also has the page
 * where "Reserve" leads.
 */
export async function startInbox({ port, account, now, examples, groups, reports }: Options) {
  const reporter = openReporter(reports.endpoint, reports.secret, now)
  const mailbox = openMailbox(now, (email) => reporter.report(email))
  const server = fastify({ logger: false, forceCloseConnections: true })
  await server.register(helmet, SAFE_HEADERS)
  server.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  await addResendApi(server, { mailbox, account, now })
  addFiles(server)
  addInbox(server, mailbox, examples)
  addBooking(server, groups)
  server.setNotFoundHandler((_request, reply) => nothingHere(reply))
  const url = await server.listen({ host: '127.0.0.1', port })
  return {
    url,
    mailbox,
    async close() {
      await reporter.close()
      await server.close()
    },
  }
}

const SAFE_HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      frameSrc: ["'self'"],
      imgSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  referrerPolicy: { policy: 'no-referrer' as const },
  strictTransportSecurity: false,
  // The page shows the email in a frame.
  xFrameOptions: { action: 'sameorigin' as const },
}

function addFiles(server: FastifyInstance): void {
  for (const [path, { type, body }] of Object.entries(FILES))
    server.get(path, async (_request, reply) => reply.type(type).send(body))
}

function addInbox(server: FastifyInstance, mailbox: Mailbox, examples: readonly Example[]): void {
  type Chosen = { Params: { id: string } }
  server.get('/count', async () => ({ total: mailbox.size() }))
  server.get('/', async ({ query }, reply) =>
    page(reply, inboxPage(mailbox, examples, { chosen: null, view: View.parse(query) })),
  )
  server.get<Chosen>('/inbox/:id', async ({ params, query }, reply) => {
    const chosen = mailbox.find(params.id)
    if (chosen === null) return nothingHere(reply)
    return page(reply, inboxPage(mailbox, examples, { chosen, view: View.parse(query) }))
  })
  server.get<Chosen>('/inbox/:id/email', async ({ params, query }, reply) => {
    const email = mailbox.find(params.id)
    if (email === null) return nothingHere(reply)
    return page(reply.header('content-security-policy', NO_SCRIPTS), framed(email, View.parse(query).color))
  })
}

function addBooking(server: FastifyInstance, groups: Options['groups']): void {
  server.get<{ Params: { group: string } }>('/book/:group', async ({ params }, reply) =>
    page(
      reply,
      notePage({
        about: groups.get(params.group) ?? '',
        title: 'Your own booking page would open here',
        lines: [
          'Openseat doesn’t take reservations. Each group time has a link to the page where your practice takes them, and “Reserve” opens it.',
          'This practice is invented, so nothing was reserved.',
        ],
      }),
    ),
  )
}

const page = (reply: FastifyReply, html: string) => reply.type('text/html; charset=utf-8').send(html)

function nothingHere(reply: FastifyReply) {
  const lines = [
    'The demo keeps emails only while it runs, so an address from an earlier demo leads nowhere.',
  ]
  return page(reply.code(404), notePage({ title: 'Nothing is here', lines }))
}
