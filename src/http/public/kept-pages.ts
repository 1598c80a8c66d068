import type { FastifyReply } from 'fastify'
import type { OpenTimes } from '../../actions/sessions/open-times.ts'
import { lru } from '../../core/lru.ts'

/** Each page has up to 50 kB. */
const PAGES_KEPT = 32

type Asked = { reply: FastifyReply; write: () => string }

/**
 * Caches pages that are the same for everyone, the recently used ones, until the sessions change or the minute ends. The result
 * of `write` must depend only on the URL and the language.
 */
export function keptPages(): (times: OpenTimes, asked: Asked) => Buffer {
  const byTimes = new WeakMap<OpenTimes, (asked: Asked) => Buffer>()
  return (times, asked) => {
    const pages =
      byTimes.get(times) ??
      lru(
        PAGES_KEPT,
        ({ reply }: Asked) => `${reply.translator.locale} ${reply.request.url}`,
        ({ write }) => Buffer.from(write()),
      )
    byTimes.set(times, pages)
    return pages(asked)
  }
}
