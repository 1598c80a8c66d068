import type { FastifyInstance, FastifyReply } from 'fastify'
import { actingAs, demand } from '../../actions/operators/acting.ts'
import { type HeldState, heldState, release } from '../../actions/restore/release.ts'
import type { App } from '../../app.ts'
import { fieldOf } from './sign-in/browser.ts'
import { dayOf, whenIn } from './when.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'now' | 'queue' | 'actor'>

/** Adds `/release`: what a restored or copied database may have sent already, and its release, as `openseat release`. */
export function addReleaseRoutes(server: FastifyInstance, app: Needs): void {
  const own = { config: { may: 'installation.release' as const } }

  server.get('/release', own, async (request, reply) => {
    const mine = actingAs(app, request.actor)
    demand(mine, 'installation.release')
    return show(mine, reply, await heldState(mine))
  })
  server.post('/release', own, async (request, reply) => {
    const mine = actingAs(app, request.actor)
    const mode = fieldOf(request.body, 'mode')
    if (mode !== 'safe' && mode !== 'go-on') return show(mine, reply.code(422), await heldState(mine))
    const released = await release(mine, mode)
    return reply.done('/', released === null ? 'release.none' : `release.done.${mode}`)
  })
}

function show({ config }: Needs, reply: FastifyReply, state: HeldState | null): FastifyReply {
  const { words } = reply
  const { timeZone } = config.slotRule
  const title = words.t('release.title')
  if (state === null) return reply.show('message', { title, text: words.t('release.none') })
  const { hold, editions, notices, slot, activeSubscribers } = state
  return reply.show('release', {
    title,
    wide: false,
    why: words.t(`release.because.${hold.reason}`, { when: whenIn(hold.since, timeZone, words) }),
    lost: words.t('release.lost', {
      when: hold.knownThrough === null ? '' : whenIn(hold.knownThrough, timeZone, words),
      known: String(hold.knownThrough !== null),
    }),
    owed: [
      ...editions.map(({ id, recipients: n }) =>
        words.t('release.owed.edition', { day: dayOf(id, words), n }),
      ),
      ...(slot
        ? [words.t('release.owed.slot', { day: dayOf(slot.editionId, words), n: activeSubscribers })]
        : []),
      ...(notices > 0 ? [words.t('release.owed.notices', { n: notices })] : []),
    ],
    late: editions.length > 0 && !state.keysTrusted,
  })
}
