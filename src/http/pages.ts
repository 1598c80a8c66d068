import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import view from '@fastify/view'
import type { FastifyInstance } from 'fastify'
import Handlebars from 'handlebars'
import type { App } from '../app.ts'

const FOLDER = fileURLToPath(new URL('../../templates/pages', import.meta.url))

/** Makes `reply.view` render `templates/pages/*.hbs` inside their layout, and serves the stylesheet. */
export async function addPages(server: FastifyInstance, config: App['config']): Promise<void> {
  const css = await readFile(join(FOLDER, 'style.css'), 'utf8')
  const base = basePath(config)
  await server.register(view, {
    engine: { handlebars: Handlebars },
    root: FOLDER,
    layout: 'layout.hbs',
    production: true, // compile each page once
    // A variable that nobody set is an error, not an empty space.
    options: { compileOptions: { strict: true } },
    defaultContext: {
      base,
      // By its hash, so that browsers may keep it and still get the next one.
      stylesheet: `${base}/style.css?${hash('sha256', css).slice(0, 12)}`,
      practice: config.practice,
      postalAddress: config.POSTAL_ADDRESS,
      replyTo: addressIn(config.MAIL_REPLY_TO),
    },
  })
  server.get('/style.css', (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .type('text/css; charset=utf-8')
      .send(css),
  )
}

/** The path of PUBLIC_URL, for a server that a proxy shows below one; empty for most. */
export function basePath({ PUBLIC_URL }: Pick<App['config'], 'PUBLIC_URL'>): string {
  return new URL(PUBLIC_URL).pathname.replace(/\/$/, '')
}

const addressIn = (mailbox: string | undefined): string | null =>
  mailbox === undefined ? null : (/<([^<>]*)>$/.exec(mailbox)?.[1] ?? mailbox)
