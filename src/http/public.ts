import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { App } from '../app.ts'
import { isTimeZone } from '../core/calendar.ts'
import { offersAt } from '../core/content.ts'
import { digestView } from '../core/digest-view.ts'
import type { Letterhead } from '../core/email.ts'
import { openSessions } from '../db/sessions.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

/** Zones offered by name; any other of the IANA list works in the address. */
const ZONES: Record<string, string> = {
  'America/New_York': 'Eastern (New York)',
  'America/Chicago': 'Central (Chicago)',
  'America/Denver': 'Mountain (Denver)',
  'America/Phoenix': 'Arizona (Phoenix)',
  'America/Los_Angeles': 'Pacific (Los Angeles)',
  'America/Anchorage': 'Alaska (Anchorage)',
  'Pacific/Honolulu': 'Hawaii (Honolulu)',
}

/** The pages for everyone: what this is, and all times that can be reserved now. */
export function addPublicRoutes(server: FastifyInstance, app: Needs): void {
  server.get('/', (_request, reply) => findable(reply).view('home.hbs', { title: 'New group times by mail' }))

  const Query = z.object({ tz: z.string().refine(isTimeZone).catch(app.config.DIGEST_TIME_ZONE) })
  server.get('/sessions', async (request, reply) => {
    const { tz } = Query.parse(request.query)
    const program = await bookable(app, tz)
    return findable(reply).view('sessions.hbs', { title: 'Group times', zones: zoneChoice(tz), ...program })
  })
}

const findable = (reply: FastifyReply): FastifyReply => reply.removeHeader('x-robots-tag')

/** In the words of the mail, by topic and soonest first. */
async function bookable(app: Needs, timeZone: string) {
  const now = app.now()
  const offers = offersAt((await openSessions(app.db, now)).sessions, now)
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const everything = { timeZone, locale: 'en', discreet: false, shown: offers, more: 0 }
  const { topics, place } = digestView(letterheadOf(app.config), byId, everything)
  return {
    place,
    topics: topics.map(({ name, sessions }, index) => ({ name, sessions, anchor: `topic-${index + 1}` })),
    several: topics.length > 1,
  }
}

function letterheadOf(config: App['config']): Letterhead {
  return {
    from: config.MAIL_FROM,
    replyTo: config.MAIL_REPLY_TO ?? null,
    postalAddress: config.POSTAL_ADDRESS,
    publicUrl: config.PUBLIC_URL,
    practice: config.practice,
    unsubscribeMailto: null,
    linkSecretId: '',
  }
}

function zoneChoice(chosen: string): { zone: string; label: string; selected: boolean }[] {
  const all = chosen in ZONES ? ZONES : { [chosen]: chosen.replaceAll('_', ' '), ...ZONES }
  return Object.entries(all).map(([zone, label]) => ({ zone, label, selected: zone === chosen }))
}
