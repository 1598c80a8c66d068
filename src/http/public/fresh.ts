import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Sends `text`, or 304 if the client has it, by its ETag (RFC 9110 §13.1.2). Clients may cache it but must revalidate. */
export function sendFresh(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  const etag = `"${hash('sha256', text).slice(0, 24)}"`
  reply.headers({ etag, 'cache-control': 'no-cache' })
  // A proxy that compresses turns the tag into a weak one, `W/"…"`.
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return known?.some((tag) => tag === etag || tag === '*') ? reply.code(304).send() : reply.send(text)
}
