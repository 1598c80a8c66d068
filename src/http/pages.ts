import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import view from '@fastify/view'
import type { FastifyInstance } from 'fastify'
import Handlebars from 'handlebars'
import type { App } from '../app.ts'
import { crisisNote } from '../core/crisis.ts'

const FOLDER = fileURLToPath(new URL('../../templates/pages', import.meta.url))

/** Makes `reply.view` render `templates/pages/*.hbs` inside their layout, and serves the stylesheet and the one script. */
export async function addPages(server: FastifyInstance, config: App['config']): Promise<void> {
  const base = basePath(config)
  const stylesheet = await serveFile(server, 'style.css', 'text/css; charset=utf-8')
  const script = await serveFile(server, 'join.js', 'text/javascript; charset=utf-8')
  await server.register(view, {
    engine: { handlebars: Handlebars },
    root: FOLDER,
    layout: 'layout.hbs',
    production: true, // compile each page once
    // A variable that nobody set is an error, not an empty space.
    options: { compileOptions: { strict: true } },
    defaultContext: {
      base,
      stylesheet: base + stylesheet,
      script: base + script,
      practice: config.practice,
      postalAddress: config.POSTAL_ADDRESS,
      replyTo: addressIn(config.MAIL_REPLY_TO),
      crisisNote: crisisNote(config.CRISIS_LINE),
    },
  })
}

/** The path to ask for it by: it has a hash of the content, so that browsers may keep it and still get the next one. */
export async function serveFile(server: FastifyInstance, name: string, type: string): Promise<string> {
  const content = await readFile(join(FOLDER, name), 'utf8')
  server.get(`/${name}`, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(content),
  )
  return `/${name}?${hash('sha256', content).slice(0, 12)}`
}

/** The path of PUBLIC_URL, for a server that a proxy shows below one; empty for most. */
export function basePath({ PUBLIC_URL }: Pick<App['config'], 'PUBLIC_URL'>): string {
  return new URL(PUBLIC_URL).pathname.replace(/\/$/, '')
}

const addressIn = (mailbox: string | undefined): string | null =>
  mailbox === undefined ? null : (/<([^<>]*)>$/.exec(mailbox)?.[1] ?? mailbox)
