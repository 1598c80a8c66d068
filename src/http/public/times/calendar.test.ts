import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import ICAL from 'ical.js'
import { aSession, aSubscriber, type TestApp, testApp } from '../../../../test/app.ts'
import { importSessions } from '../../../actions/imports/sessions.ts'
import { openCalendar, revokeCalendar } from '../../../actions/subscribers/calendar.ts'
import { resubscribe, unsubscribe } from '../../../actions/subscribers/consent.ts'
import { hashEmail } from '../../../core/tokens.ts'
import { eraseSubscriber } from '../../../db/people/erasures.ts'
import { setTopics } from '../../../db/people/topic-rows.ts'
import { suppressions } from '../../../db/schema/people.ts'
import { buildServer } from '../../server.ts'

async function get(app: TestApp, url: string) {
  return (await buildServer(app)).inject(url)
}

function eventsIn(body: string) {
  return new ICAL.Component(ICAL.parse(body)).getAllSubcomponents('vevent').map((one) => {
    const event = new ICAL.Event(one)
    return {
      uid: event.uid,
      title: event.summary.replace(/ \(not reserved yet\)$/, ''),
      start: event.startDate.toString(),
      sequence: event.sequence,
      status: one.getFirstPropertyValue('status'),
    }
  })
}

test('a session keeps its UID, and its SEQUENCE rises when it moves, is cancelled and comes back', async () => {
  const app = await testApp()
  const id = aSession(app)
  const server = await buildServer(app)
  const seen: unknown[] = []
  const look = async () => seen.push(...eventsIn((await server.inject(`/sessions/${id}.ics`)).body))
  await look()
  for (const change of [
    "starts_at_local = '2026-12-03T18:00'",
    "status = 'cancelled'",
    "status = 'open'",
    'seats_left = 3, seats_total = 8',
    "status = 'full'",
  ]) {
    app.db.$client.exec(`update sessions set ${change}`)
    await look()
  }
  const event = { uid: `session-${id}@groups.harbor.test`, title: 'Steady Ground', status: 'TENTATIVE' }
  const moved = { ...event, start: '2026-12-03T18:00:00' }
  expect(seen).toEqual([
    { ...event, start: '2026-12-01T19:00:00', sequence: 0 },
    { ...moved, sequence: 1 },
    { ...moved, sequence: 2, status: 'CANCELLED' },
    { ...moved, sequence: 3 },
    { ...moved, sequence: 3 },
    { ...moved, sequence: 3 },
  ])
})

test('DTSTAMP and SEQUENCE rise with every change that a calendar shows, made by SQL or by an import', async () => {
  const app = await testApp()
  const id = aSession(app)
  const server = await buildServer(app)
  const versionOf = (text: string) =>
    [/SEQUENCE:(\d+)/, /DTSTAMP:(\S+)/].map((line) => line.exec(text)?.[1] ?? '')
  let before = (await server.inject(`/sessions/${id}.ics`)).body
  const changed = async () => {
    const now = (await server.inject(`/sessions/${id}.ics`)).body
    const [[sequence = '', stamp = ''], [was = '', stampWas = '']] = [versionOf(now), versionOf(before)]
    const rose = Number(sequence) > Number(was) && stamp > stampWas
    const shown = now.replace(/SEQUENCE.*|DTSTAMP.*/g, '') !== before.replace(/SEQUENCE.*|DTSTAMP.*/g, '')
    before = now
    return { rose, shown }
  }
  for (const sql of [
    "update sessions set therapist = 'Dr. New'",
    "update sessions set booking_url = 'https://book.harbor.test/new'",
    'update sessions set duration_minutes = 60',
    'update sessions set occurrences = 8',
    "update sessions set starts_at_local = '2026-12-03T18:00'",
    "update sessions set status = 'cancelled'",
    "update groups set title = 'Calm renamed'",
    "update groups set kind = 'skills'",
  ]) {
    app.db.$client.exec(sql)
    expect([sql, await changed()]).toEqual([sql, { rose: true, shown: true }])
  }
  for (const sql of [
    'update sessions set seats_left = 3, seats_total = 8',
    "update topics set name = 'Fear'",
  ]) {
    app.db.$client.exec(sql)
    expect([sql, await changed()]).toEqual([sql, { rose: false, shown: false }])
  }
  const [{ external }] = app.db.$client.prepare('select external_id as external from sessions').all() as [
    { external: string },
  ]
  const file = (title: string) => [
    'external_id,group,topic,therapist,starts_at,time_zone,booking_url\n',
    `${external},${title},anxiety,Dr. New,2026-12-03T18:00,America/New_York,https://book.harbor.test/new\n`,
  ]
  await importSessions(app, Readable.from(file('Calm once more')), { skipInvalid: false })
  expect(await changed()).toEqual({ rose: true, shown: true })
})

test('a session is served as a calendar, also to HEAD, and once to those who have it', async () => {
  const app = await testApp()
  const id = aSession(app)
  const server = await buildServer(app)
  const url = `/sessions/${id}.ics`
  const { statusCode, headers } = await server.inject(url)
  expect(statusCode).toBe(200)
  expect(headers).toMatchObject({
    'content-type': 'text/calendar; charset=utf-8',
    'content-disposition': `inline; filename="session-${id}.ics"`,
    'cache-control': 'no-cache',
  })
  expect((await server.inject({ method: 'HEAD', url })).statusCode).toBe(200)
  const again = await server.inject({ url, headers: { 'if-none-match': String(headers.etag) } })
  expect([again.statusCode, again.body]).toEqual([304, ''])
})

test('a discreet session says only when, also in the name of the file, and has a tag of its own', async () => {
  const app = await testApp()
  const id = aSession(app)
  const open = await get(app, `/sessions/${id}.ics`)
  const { headers, body } = await get(app, `/sessions/${id}.ics?discreet=1`)
  expect(eventsIn(body)).toMatchObject([{ title: 'Possible appointment', start: '2026-12-01T19:00:00' }])
  expect(body).not.toMatch(/Steady|Mira|Harbor Groups|book\.harbor|reserve/i)
  expect(headers['content-disposition']).toBe('inline; filename="calendar.ics"')
  expect(headers.etag).not.toBe(open.headers.etag)
})

test.each([
  '/sessions/999.ics',
  '/sessions/x.ics',
  '/sessions/1',
  '/sessions/-1.ics',
  '/sessions/99999999999999999999.ics',
])('%s is not there', async (url) => {
  expect((await get(await testApp(), url)).statusCode).toBe(404)
})

async function appWithCalendar(seed: Parameters<typeof aSubscriber>[2] = {}) {
  const app = await testApp()
  const subscriber = aSubscriber(app, 'ada@sample.test', { publicId: 'adas-public-id', ...seed })
  const opened = await openCalendar(app, 'adas-public-id')
  if (opened.kind !== 'open') throw new Error('no calendar')
  const url = new URL(opened.url).pathname
  const titles = async () => eventsIn((await get(app, url)).body).map(({ title }) => title)
  return { app, subscriber, url, titles }
}

test('a private calendar holds what can be booked in the chosen topics, and follows the choice', async () => {
  const { app, subscriber, titles } = await appWithCalendar({ topics: ['anxiety'] })
  aSession(app, { group: 'First Light' })
  aSession(app, { group: 'Loose Ends', topic: 'ocd' })
  aSession(app, { group: 'Filled Up', status: 'full' })
  aSession(app, { group: 'No Seat', seatsLeft: 0 })
  aSession(app, { group: 'Long Gone', startsAtLocal: '2026-11-01T19:00', repeats: 'once' })
  expect(await titles()).toEqual(['First Light'])
  await setTopics(app.store, subscriber, 'all')
  expect(await titles()).toEqual(['First Light', 'Loose Ends'])
})

test('in a private calendar moved sessions move, and cancelled and full ones disappear', async () => {
  const { app, url, titles } = await appWithCalendar()
  const [moving, ending, filling] = ['Moving', 'Ending', 'Filling'].map((group) => aSession(app, { group }))
  expect(await titles()).toEqual(['Moving', 'Ending', 'Filling'])
  app.db.$client.exec(`
    update sessions set starts_at_local = '2026-12-03T18:00' where id = ${moving};
    update sessions set status = 'cancelled' where id = ${ending};
    update sessions set status = 'full' where id = ${filling}`)
  expect(eventsIn((await get(app, url)).body)).toEqual([
    {
      uid: `session-${moving}@groups.harbor.test`,
      title: 'Moving',
      start: '2026-12-03T18:00:00',
      sequence: 1,
      status: 'TENTATIVE',
    },
  ])
})

test('a discreet reader has a discreet calendar', async () => {
  const { app, url } = await appWithCalendar({ discreet: true })
  aSession(app)
  const { body } = await get(app, url)
  expect(eventsIn(body).map(({ title }) => title)).toEqual(['Possible appointment'])
  expect(body).not.toMatch(/Steady|Mira|Harbor Groups/)
})

test('a private calendar is neither cached nor indexed and does not name its reader', async () => {
  const { app, url } = await appWithCalendar({ name: 'Ada Sample' })
  aSession(app)
  const { headers, body } = await get(app, url)
  expect(headers).toMatchObject({
    'content-type': 'text/calendar; charset=utf-8',
    'cache-control': 'private, no-store',
    'x-robots-tag': 'noindex',
  })
  expect(body).not.toMatch(/ada|adas-public-id/i)
  expect(app.logged()).toContain('"/calendar/:key.ics"')
  expect(app.logged()).not.toContain(url.slice('/calendar/'.length, -'.ics'.length))
})

test('opening twice keeps the address; revoking ends it, and opening again makes another', async () => {
  const { app, url } = await appWithCalendar()
  expect(url).toMatch(/^\/calendar\/[\w-]{22}\.ics$/)
  expect(await openCalendar(app, 'adas-public-id')).toEqual({
    kind: 'open',
    url: `https://groups.harbor.test${url}`,
  })
  expect(await revokeCalendar(app, 'adas-public-id')).toBe(true)
  expect(await revokeCalendar(app, 'adas-public-id')).toBe(false)
  const gone = await get(app, url)
  expect([gone.statusCode, gone.headers['content-type']]).toEqual([410, 'text/html; charset=utf-8'])
  expect(gone.body).toContain('This calendar link doesn’t work')
  const opened = await openCalendar(app, 'adas-public-id')
  expect(opened.kind === 'open' && new URL(opened.url).pathname).not.toBe(url)
  expect((await get(app, url)).statusCode).toBe(410)
})

test('the calendar ends with the subscription, and comes back with it', async () => {
  const { app, url } = await appWithCalendar()
  await unsubscribe(app, 'adas-public-id')
  expect((await get(app, url)).statusCode).toBe(410)
  expect(await openCalendar(app, 'adas-public-id')).toEqual({ kind: 'not-subscribed' })
  await resubscribe(app, 'adas-public-id')
  expect((await get(app, url)).statusCode).toBe(200)
})

test('it speaks the language of its reader, and a session’s that of who asks', async () => {
  const { app, url } = await appWithCalendar()
  app.db.$client.exec("update subscribers set locale = 'es-MX'")
  expect((await get(app, url)).body).toContain('Harbor Groups: horarios de grupo disponibles')
  const id = aSession(app)
  const server = await buildServer(app)
  for (const [accepts, says] of [
    ['es', 'Grupo. Terapeuta: Dr. Mira Lee'],
    ['en', 'Group with Dr. Mira Lee'],
  ]) {
    const asked = { url: `/sessions/${id}.ics`, headers: { 'accept-language': accepts } }
    const { body, headers } = await server.inject(asked)
    expect(body).toContain(says)
    expect(headers).toMatchObject({ vary: expect.stringMatching(/accept-language/i) })
  }
})

test('a suppressed and an erased reader, and a made-up address, get the same answer', async () => {
  const { app, url } = await appWithCalendar()
  const madeUp = await get(app, '/calendar/AAAAAAAAAAAAAAAAAAAAAA.ics')
  const emailHash = hashEmail(app.hashKey, 'ada@sample.test')
  app.db.insert(suppressions).values({ emailHash, reason: 'complaint', createdAt: 0 }).run()
  const suppressed = await get(app, url)
  await eraseSubscriber(app.store, emailHash, app.now())
  const erased = await get(app, url)
  expect([madeUp, suppressed, erased].map(({ statusCode }) => statusCode)).toEqual([410, 410, 410])
  expect(new Set([madeUp, suppressed, erased].map(({ body }) => body)).size).toBe(1)
})

test('pausing emails does not affect the calendar', async () => {
  const { app, titles } = await appWithCalendar({ pausedUntil: Date.parse('2027-01-01T00:00:00Z') })
  aSession(app)
  expect(await titles()).toEqual(['Steady Ground'])
})
