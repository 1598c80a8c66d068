import type { FastifyReply } from 'fastify'

/** Search engines may list this page; the one script it runs is our own. */
export function publicly(reply: FastifyReply): FastifyReply {
  const policy = `${String(reply.getHeader('content-security-policy'))};script-src 'self'`
  return reply.removeHeader('x-robots-tag').header('content-security-policy', policy)
}
