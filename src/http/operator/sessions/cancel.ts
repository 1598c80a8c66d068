import type { FastifyInstance } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import { readersShown } from '../../../actions/sessions/readers-shown.ts'
import type { App } from '../../../app.ts'
import { shownIn, writtenSession } from '../../../db/sessions/listing.ts'
import { asText } from './fields.ts'
import { hiddenOf } from './review.ts'
import { idIn } from './seats.ts'
import { datesAhead, editionView } from './times.ts'

/** Adds the page that says what cancelling a session means, in people. */
export function addSessionCancel(server: FastifyInstance, app: App): void {
  server.get('/sessions/:id/cancel', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const found = await writtenSession(app.store, idIn(request))
    if (found === null) return reply.callNotFound()
    const { row, listed } = found
    const { t } = reply.words
    const { readers, isMore } = await readersShown(actingAs(app, request.actor), row.id)
    const shown = (await shownIn(app.store, [row.id])).get(row.id) ?? null
    const edition = editionView(reply.words, shown, app.now())
    return reply.show('session-review', {
      title: t('sessions.cancel.title', { group: asText(row.group) }),
      lead: t('sessions.cancel.lead'),
      ...(listed ? datesAhead(app, reply.words, listed, app.now()) : { dates: [], notes: [] }),
      told: [
        edition === null
          ? t('sessions.cancel.to-none')
          : t('sessions.cancel.told', { n: readers, more: String(isMore), edition: edition.day }),
      ],
      action: `/sessions/${row.id}/status`,
      hidden: hiddenOf({ status: 'cancelled', version: String(row.version) }),
      buttons: [{ how: 'loud', look: 'careful', label: t('sessions.cancel.do') }],
      back: null,
    })
  })
}
