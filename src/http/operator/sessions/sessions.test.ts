import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../../test/app.ts'
import { uncheck } from '../../../../test/db.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../../test/operator.ts'
import { groups, sessions, topics } from '../../../db/schema/sessions.ts'

const FORM = {
  ...{ group: 'Steady Ground', topic: 'anxiety', kind: 'therapy', therapist: 'Dr. Mira Lee' },
  ...{ starts_at: '12/1/2026 7:00 PM', time_zone: 'America/New_York', repeats: 'weekly', occurrences: '' },
  ...{ duration_minutes: '90', seats_left: '', seats_total: '', status: 'open' },
  booking_url: 'https://book.harbor.test/steady-ground',
}

async function practice(at?: string) {
  const app = await testApp(at === undefined ? {} : { at })
  const server = await operatorServer(app)
  const editor = await signedIn(app, 'editor')
  return {
    ...{ app, server, editor },
    get: async (url: string) => (await getAs(server, editor, url)).body,
    post: (url: string, form: Record<string, string> = {}) => postAs(server, editor, url, form),
  }
}

const rowOf = (app: TestApp, id: number) =>
  app.db
    .select()
    .from(sessions)
    .all()
    .find((row) => row.id === id)
const version = (app: TestApp, id: number) => String(rowOf(app, id)?.version)
const text = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

test('the list has each session by its next date, with its own time and the practice’s, and what was asked for', async () => {
  const { app, get } = await practice()
  expect(text(await get('/sessions'))).toContain('There are no sessions yet.')
  aSession(app, { group: 'Late Group', startsAtLocal: '2026-12-03T18:00', seatsLeft: 2, seatsTotal: 8 })
  aSession(app, {
    group: 'Far Group',
    topic: 'ocd',
    timeZone: 'America/Los_Angeles',
    startsAtLocal: '2026-12-02T18:00',
  })
  aSession(app, { group: 'Shut Group', status: 'full', startsAtLocal: '2026-12-01T18:00' })
  aSession(app, { group: 'Cancelled Group', status: 'cancelled', startsAtLocal: '2026-12-04T18:00' })
  aSession(app, { group: 'Past Group', repeats: 'once', startsAtLocal: '2026-11-01T18:00' })
  const groupsIn = (html: string) => [...html.matchAll(/\w+ Group(?=<\/a>)/g)].map(([name]) => name)
  const all = await get('/sessions')
  expect(groupsIn(all)).toEqual(['Shut Group', 'Far Group', 'Late Group'])
  expect(text(all)).toContain(
    'Wed, Dec 2 6:00 PM PST 9:00 PM EST, practice time Far Group Dr. Mira Lee · OCD · weekly',
  )
  expect(text(all)).toMatch(/Late Group .* 2 \+ of 8/)
  app.db.$client.exec(`update groups set language = case title when 'Far Group' then 'es' else 'en' end`)
  expect(await get('/sessions')).toMatch(
    /<option value="" selected>All<\/option><option value="en">English<\/option><option value="es">/,
  )
  for (const [query, found] of [
    ['topic=ocd', ['Far Group']],
    ['language=es', ['Far Group']],
    ['status=full', ['Shut Group']],
    ['status=over', ['Past Group']],
    ['status=cancelled', ['Cancelled Group']],
    ['status=all', ['Shut Group', 'Far Group', 'Late Group', 'Cancelled Group', 'Past Group']],
    ['q=late', ['Late Group']],
    ['q=nothing', []],
    ['page=99', ['Shut Group', 'Far Group', 'Late Group']],
  ] as const)
    expect([query, groupsIn(await get(`/sessions?${query}`))]).toEqual([query, found])
})

test('a session that is left out is named with its fault, and mended on its page', async () => {
  const { app, get, post } = await practice()
  const id = aSession(app, { group: 'Odd' })
  uncheck(app.db, 'sessions')
  uncheck(app.db, 'groups')
  app.db.$client.exec(`update groups set language = 'speaks all'`)
  app.db.$client.exec(`update sessions set starts_at_local = 'whenever', therapist = '<b>'`)
  expect(text(await get('/sessions'))).toContain('One session is left out of every page and email')
  const page = await get(`/sessions/${id}`)
  expect(text(page)).toContain('left out of every page and email: First start is')
  expect(page).toContain('value="&lt;b&gt;"')
  await post(`/sessions/${id}`, { ...FORM, version: version(app, id), how: 'loud' })
  expect(rowOf(app, id)).toMatchObject({ startsAtLocal: '2026-12-01T19:00', therapist: 'Dr. Mira Lee' })
  expect(text(await get('/sessions'))).toContain('Steady Ground')
  expect(await get('/groups/1')).toContain('value="speaks all"')
})

test('a new session is checked and looked at before it is added, with its dates and the clocks', async () => {
  const { app, get, post } = await practice('2026-10-20T15:00:00Z')
  aSubscriber(app, 'mara@sample.test')
  aSubscriber(app, 'other@sample.test', { topics: ['ocd'] })
  expect(await get('/sessions/new')).toContain('value="America/New_York"')
  const past = { ...FORM, starts_at: '10/6/2026 7:00 PM', repeats: 'once' }
  expect((await post('/sessions/new', past)).body).toContain('is in the past')
  const wrong = await post('/sessions/new', {
    ...FORM,
    topic: 'anxeity',
    starts_at: '13/40/2026',
    booking_url: '',
  })
  expect([wrong.statusCode, wrong.body.match(/aria-invalid/g)?.length]).toEqual([422, 3])
  expect(wrong.body).toContain('value="13/40/2026"')
  const given = { ...FORM, starts_at: 'Tue, Oct 27, 2026, 7 PM', time_zone: 'Central', seats_left: '3' }
  const look = await post('/sessions/new', given)
  expect(text(look.body)).toContain('The coming email shows it as new to 1 person.')
  expect(text(look.body)).toContain(
    'Tue, Oct 27 , 7:00 PM CDT (8:00 PM EDT, practice time) Tue, Nov 3 , 7:00 PM CST (8:00 PM EST, practice time)',
  )
  expect(text(look.body)).toContain('Central Time changes its clocks on Sun, Nov 1. Add it')
  expect(app.db.select().from(sessions).all()).toEqual([])
  const here = await post('/sessions/new', { ...given, time_zone: '' })
  expect(text(here.body)).toContain('Tue, Oct 27 , 7:00 PM EDT Tue')
  const added = await post('/sessions/new', { ...given, how: 'add' })
  expect(added).toMatchObject({ statusCode: 303, headers: { location: '/sessions/1' } })
  expect(rowOf(app, 1)).toMatchObject({
    externalId: 'steady-ground-tue-1900',
    timeZone: 'America/Chicago',
    seatsLeft: 3,
  })
  const usual = await post('/sessions/new', { group: 'steady ground', starts_at: '12/1/2026 9:00 AM' })
  expect([usual.statusCode, usual.body.includes('aria-invalid')]).toEqual([422, false])
  expect(usual.body).toMatch(/as this group usually has it[^]*value="Dr. Mira Lee"/)
  const copy = await get('/sessions/new?from=1')
  expect(copy).toContain('value="Dr. Mira Lee"')
  expect(copy).toMatch(/name="starts_at"[^>]* value=""/)
})

test('an edit that people would hear of is asked about first, and saved loudly or quietly', async () => {
  const { app, get, post } = await practice()
  const id = aSession(app)
  for (const name of ['ann', 'bob']) aSubscriber(app, `${name}@sample.test`)
  await planNow(app)
  await submitOwed(app)
  expect(text(await get('/sessions'))).toContain('Open Mon, Nov 23')
  const edit = (form: Record<string, string>) =>
    post(`/sessions/${id}`, { ...FORM, version: version(app, id), ...form })
  expect(await edit({ therapist: 'Dr. Ann Roe' })).toMatchObject({ statusCode: 303 })
  expect(text(await get(`/sessions/${id}`))).toMatch(
    /Saved\. .*Tue, Dec 1 , 7:00 PM EST Then Tue, Dec 8 · Tue, Dec 15 · Tue, Dec 22\..*Last shown in the email of Mon, Nov 23/,
  )

  const later = { therapist: 'Dr. Ann Roe', starts_at: '12/1/2026 8:00 PM' }
  const asked = text((await edit(later)).body)
  expect(asked).toContain('2 people who saw this will see it again as changed.')
  expect(asked).toContain('Save: 2 people see it again Save as a quiet correction')
  expect(rowOf(app, id)?.startsAtLocal).toBe('2026-12-01T19:00')
  expect((await edit({ ...later, how: 'edit' })).body).toContain('value="12/1/2026 8:00 PM"')
  await edit({ ...later, how: 'quiet' })
  expect(rowOf(app, id)).toMatchObject({ startsAtLocal: '2026-12-01T20:00', news: 'new' })
  await edit({ ...later, starts_at: '12/1/2026 9:00 PM', how: 'loud' })
  expect(rowOf(app, id)).toMatchObject({ startsAtLocal: '2026-12-01T21:00', news: 'moved' })
})

test('whoever saves second sees both values, and saves over the first only by saving again', async () => {
  const { app, post } = await practice()
  const id = aSession(app)
  const stale = version(app, id)
  await post(`/sessions/${id}`, { ...FORM, seats_left: '2', version: stale })
  const lost = await post(`/sessions/${id}`, { ...FORM, therapist: 'Dr. Ann Roe', version: stale })
  expect(lost.statusCode).toBe(409)
  expect(text(lost.body)).toContain('Therapist Dr. Ann Roe Dr. Mira Lee Spots left nothing 2')
  expect(rowOf(app, id)).toMatchObject({ therapist: 'Dr. Mira Lee', seatsLeft: 2 })
  const again = lost.body.match(/name="version" value="(\d+)"/)?.[1] ?? ''
  await post(`/sessions/${id}`, { ...FORM, therapist: 'Dr. Ann Roe', version: again })
  expect(rowOf(app, id)).toMatchObject({ therapist: 'Dr. Ann Roe', seatsLeft: null })
})

test('full, open and cancelled: the buttons say in people what they do', async () => {
  const { app, get, post } = await practice()
  const id = aSession(app)
  aSubscriber(app, 'mara@sample.test')
  await planNow(app)
  await submitOwed(app)
  const to = (status: string) => post(`/sessions/${id}/status`, { status, version: version(app, id) })
  expect(await to('full')).toMatchObject({ statusCode: 303 })
  expect(text((await to('open')).body)).toContain('1 person who saw this will see it again as reopened.')
  expect(rowOf(app, id)?.status).toBe('full')
  await post(`/sessions/${id}`, { ...FORM, version: version(app, id), how: 'quiet' })
  expect(rowOf(app, id)).toMatchObject({ status: 'open', news: 'new' })
  expect(text(await get(`/sessions/${id}/cancel`))).toContain('1 person was shown it, last on Mon, Nov 23.')
  expect(await to('cancelled')).toMatchObject({ statusCode: 303 })
  expect(rowOf(app, id)?.status).toBe('cancelled')
})

test('seats are pressed with and without a script, and undone while they wait', async () => {
  const { app, get, post, server, editor } = await practice('2026-11-23T15:00:00Z')
  const id = aSession(app, { seatsLeft: 0, seatsTotal: 1, status: 'full' })
  const back = `/sessions?status=all#s${id}`
  const pressed = await post(`/sessions/${id}/seats`, { step: '1', back })
  expect(pressed).toMatchObject({ statusCode: 303, headers: { location: back } })
  expect(text(await get('/sessions?status=all'))).toContain('− 1 + of 1 saving in 10 s Undo')
  const away = await post(`/sessions/${id}/seats/undo`, { back: '//evil.test' })
  expect(away.headers.location).toBe('/sessions')
  const byScript = await server.inject({
    ...{ method: 'POST', url: `/sessions/${id}/seats`, payload: 'step=1' },
    headers: {
      ...{ cookie: editor.cookie, host: '127.0.0.1:3001', accept: 'application/json' },
      ...{ 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
    },
  })
  expect(byScript.json()).toMatchObject({
    shown: '1',
    canLess: true,
    canMore: false,
    saving: 'saving in 10 s',
    dueInMs: 10_000,
  })
  app.setNow('2026-11-23T15:00:10Z')
  expect((await post(`/sessions/${id}/seats/undo`, { back })).headers.location).toBe(back)
  expect(text(await get('/sessions?status=all'))).toContain('Too late to undo')
  expect(rowOf(app, id)).toMatchObject({ seatsLeft: 1, status: 'open' })
})

test('groups and topics: their texts are kept, and whoever saves second sees both', async () => {
  const { app, get, post } = await practice()
  aSession(app)
  const group = () => app.db.select().from(groups).all()[0]
  const form = {
    group: 'Steady Ground',
    topic: 'anxiety',
    kind: 'therapy',
    summary: 'For all.',
    language: 'Spanish',
  }
  const stale = String(group()?.version)
  expect(await post('/groups/1', { ...form, version: stale })).toMatchObject({ statusCode: 303 })
  const lost = await post('/groups/1', { ...form, summary: 'For some.', version: stale })
  expect([lost.statusCode, text(lost.body).includes('For some. For all.')]).toEqual([409, true])
  expect(
    (await post('/groups/1', { ...form, group: '', version: String(group()?.version) })).statusCode,
  ).toBe(422)
  expect(text(await get('/groups'))).toContain(
    'Steady Ground Anxiety Therapy group · Spanish For all. 1 session',
  )
  expect(await get('/groups/1')).toContain('>For all.</textarea>')

  expect(await post('/topics/new', { name: 'Eating', name_es: 'Comida' })).toMatchObject({ statusCode: 303 })
  expect(await get('/topics/eating')).toContain('value="Comida"')
  const was = { was_name: 'Eating', was_names: '{"es":"Comida"}' }
  expect(await post('/topics/eating', { name: 'Food', ...was })).toMatchObject({ statusCode: 303 })
  expect((await post('/topics/eating', { name: 'Meals', ...was })).statusCode).toBe(409)
  expect(app.db.select().from(topics).all()).toContainEqual(
    expect.objectContaining({ slug: 'eating', name: 'Food', names: '{}' }),
  )
})

test('what is not there is not found, and pages stay small', async () => {
  const { app, get, server, editor } = await practice()
  for (let n = 0; n < 60; n += 1) aSession(app, { group: `Group ${n}`, seatsLeft: 3, seatsTotal: 8 })
  const rowsOn = async (page: number) => (await get(`/sessions?page=${page}`)).match(/<tr id=/g)?.length
  expect([await rowsOn(0), await rowsOn(1), await rowsOn(3)]).toEqual([25, 25, 10])
  expect(await get('/sessions?page=2')).toMatch(/href="\/sessions">[^]*href="\/sessions\?page&#x3D;3">/)
  for (const url of ['/sessions/999', '/sessions/x', '/groups/999', '/topics/none', '/sessions/999/cancel'])
    expect([url, (await getAs(server, editor, url)).statusCode]).toEqual([url, 404])
  for (const url of ['/sessions', '/sessions?page=3', '/sessions/1', '/sessions/new', '/groups'])
    expect(Buffer.byteLength(await get(url))).toBeLessThan(60_000)
})
