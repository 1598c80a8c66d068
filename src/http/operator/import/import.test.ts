import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn, type Who } from '../../../../test/operator.ts'
import { asc } from '../../../db/drizzle.ts'
import { sessionImports, sessions } from '../../../db/schema/sessions.ts'

const HEAD = 'external_id,group,topic,therapist,starts_at,time_zone,booking_url,seats_left'
const row = (name: string, start: string, seats = '3') =>
  `${name},Loose Ends,ocd,Dr. Lee,${start},America/New_York,https://book.harbor.test/${name},${seats}`
const file = (...rows: string[]) => [HEAD, ...rows].join('\n')
const words = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
const rowsOf = (app: TestApp) => app.db.select().from(sessions).orderBy(asc(sessions.id)).all()

async function aPractice() {
  const app = await testApp()
  const server = await operatorServer(app)
  const who = await signedIn(app, 'editor')
  /** Sets the clock, and signs in again. */
  const at = async (iso: string) => {
    app.setNow(iso)
    Object.assign(who, await signedIn(app, 'editor'))
  }
  const post = (url: string, form: Record<string, string> = {}) => postAs(server, who, url, form)
  /** Pastes a file, and returns the page that shows what it would change. */
  const look = async (text: string, order = '') => {
    const { headers, statusCode, body } = await post('/import', { text })
    if (statusCode !== 303) return { url: '', page: body }
    const url = String(headers.location)
    return { url, page: (await getAs(server, who, `${url}${order}`)).body }
  }
  const bringIn = (url: string, page: string, more = {}) => {
    const of = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''
    return post(url, {
      hash: of('hash').replaceAll('&#x3D;', '='),
      version: of('version'),
      order: of('order'),
      ...more,
    })
  }
  return { app, server, who, at, post, look, bringIn }
}

test('a file is looked at field by field, brought in, and taken back as if it had never been', async () => {
  const { app, server, who, post, look, bringIn } = await aPractice()
  aSubscriber(app, 'mara@sample.test')
  const first = await look(file(row('a', '2026-12-01T19:00'), row('b', '2026-12-02T19:00')))
  expect(words(first.page)).toContain('2 new times, nothing changed, 0 as before.')
  expect(words(first.page)).toContain('1 person will see something new.')
  expect(rowsOf(app)).toEqual([])
  expect((await bringIn(first.url, first.page)).headers.location).toBe('/import')
  const before = rowsOf(app).map(({ version: _, revision: _r, revisedAt: _a, ...one }) => one)

  const second = await look(
    file(row('a', '2026-12-01T20:00', '2'), row('b', '2026-12-02T19:00'), row('c', '2026-12-03T19:00')),
  )
  const page = words(second.page)
  expect(page).toContain('One new time, one changed, 1 as before.')
  expect(page).toContain('First start 12/1/2026 7:00 PM → 12/1/2026 8:00 PM')
  expect(page).toContain('Spots left 3 → 2')
  await bringIn(second.url, second.page)
  expect(rowsOf(app)).toHaveLength(3)
  const [last] = app.db.select().from(sessionImports).all().slice(-1)
  expect(last).toMatchObject({ content: null, createdBy: `operator:${who.operatorId}` })
  expect((await post(`/import/${last?.id}/undo`)).headers.location).toBe('/import')
  const undone = rowsOf(app).map(({ version: _, revision: _r, revisedAt: _a, ...one }) => one)
  expect(undone.map(({ startsAtLocal, seatsLeft }) => [startsAtLocal, seatsLeft])).toEqual(
    before.map(({ startsAtLocal, seatsLeft }) => [startsAtLocal, seatsLeft]),
  )
  expect((await post(`/import/${last?.id}/undo`)).statusCode).toBe(409)
  expect(words((await getAs(server, who, '/import')).body)).toContain('1 added, 1 changed you undone')

  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted).toHaveLength(1)
  expect(app.resend.accepted[0]?.text).not.toContain('8:00')
})

test('who has seen a time hears of no import that was undone', async () => {
  const { app, at, post, look, bringIn } = await aPractice()
  aSubscriber(app, 'mara@sample.test')
  const first = await look(file(row('a', '2026-12-01T19:00'), row('b', '2026-12-02T19:00')))
  await bringIn(first.url, first.page)
  await planNow(app)
  await submitOwed(app)
  await at('2026-11-24T15:00:00.000Z')
  const second = await look(file(row('a', '2026-12-01T20:00'), row('c', '2026-12-03T19:00')))
  expect(words(second.page)).toContain('1 person who saw one of these will see it again as changed.')
  await bringIn(second.url, second.page)
  await post('/import/2/undo')
  await at('2026-11-30T15:00:00.000Z')
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted).toHaveLength(1)
  const third = await look(file(row('d', '2026-12-05T19:00')))
  await bringIn(third.url, third.page)
  await at('2026-12-07T15:00:00.000Z')
  await planNow(app)
  expect(words((await post('/import/3/undo')).body)).toContain('An edition was planned since')
})

test('what was shown is what is brought in: not when sessions or the file have changed meanwhile', async () => {
  const { app, look, bringIn, post } = await aPractice()
  const shown = await look(file(row('a', '2026-12-01T19:00')))
  aSession(app, { topic: 'ocd', group: 'Meanwhile' })
  const late = await bringIn(shown.url, shown.page)
  expect([late.statusCode, words(late.body)]).toEqual([409, expect.stringContaining('changed meanwhile')])
  expect((await bringIn(shown.url, shown.page, { hash: 'x' })).statusCode).toBe(404)
  const [one, other] = await Promise.all([bringIn(shown.url, late.body), bringIn(shown.url, late.body)])
  expect([one.statusCode, other.statusCode].toSorted()).not.toEqual([303, 303])
  expect(rowsOf(app)).toHaveLength(2)
  expect((await post('/import/99')).statusCode).toBe(404)
})

test('an import is undone wholly or not at all', async () => {
  const { app, look, bringIn, post } = await aPractice()
  const shown = await look(file(row('a', '2026-12-01T19:00'), row('b', '2026-12-02T19:00')))
  await bringIn(shown.url, shown.page)
  app.db.update(sessions).set({ seatsLeft: 1 }).run()
  const outcome = await post('/import/1/undo')
  expect([outcome.statusCode, words(outcome.body)]).toEqual([
    409,
    expect.stringContaining('was changed since'),
  ])
  expect(rowsOf(app)).toHaveLength(2)
})

test.each([
  [
    'with its byte-order mark, semicolons and names of its own',
    `\ufeffExternal ID;Group;Topic;Therapist;Starts at;Time zone;Booking URL;Seats left\r\na;Loose Ends;ocd;Dr. Lee;12/25/2026 7:00 PM;America/New_York;https://book.harbor.test/a; 3 \r\n`,
  ],
  ['with tabs', `${HEAD.replaceAll(',', '\t')}\n${row('a', '25.12.2026 19:00').replaceAll(',', '\t')}\n`],
])('a file of Excel is read %s', async (_how, text) => {
  const { app, look, bringIn } = await aPractice()
  const shown = await look(text)
  await bringIn(shown.url, shown.page)
  expect(rowsOf(app)).toMatchObject([{ startsAtLocal: '2026-12-25T19:00', seatsLeft: 3 }])
})

test('a date that could be two is asked about, once for the file', async () => {
  const { app, look, bringIn } = await aPractice()
  const text = file(row('a', '1/12/2026 19:00'), row('b', '2/12/2026 19:00'))
  expect(words((await look(text)).page)).toMatch(/Which day is 1\/12\/2026 19:00\? January 12 December 1/)
  const shown = await look(text, '?order=day-first')
  await bringIn(shown.url, shown.page)
  expect(rowsOf(app).map(({ startsAtLocal }) => startsAtLocal)).toEqual([
    '2026-12-01T19:00',
    '2026-12-02T19:00',
  ])
  const mixed = await look(file(row('a', '12/25/2026 19:00'), row('b', '25/12/2026 19:00')))
  expect(words(mixed.page)).toContain('both ways around')
})

test('what is wrong is named by line, and nothing of the file is brought in', async () => {
  const { app, look } = await aPractice()
  const { page } = await look(
    file(row('a', '2026-12-01T19:00'), row('b', 'soon'), `${row('c', '2026-12-01T19:00')},9`),
  )
  expect(words(page)).toContain('2 things are wrong in this file')
  expect(words(page)).toContain('Line 3: starts_at is "soon"'.replaceAll('"', '&quot;'))
  expect(rowsOf(app)).toEqual([])
  expect(words((await look(' ')).page)).toContain('Choose a file, or paste some rows.')
})

test('rows that are wrong can be left out, and the rest is brought in', async () => {
  const { app, look, bringIn } = await aPractice()
  const text = file(row('a', '2026-12-01T19:00'), row('b', 'soon'))
  expect((await look(text)).page).toContain('Leave these rows out, and look at the rest')
  const rest = await look(text, '?rest=yes')
  expect(words(rest.page)).toContain('This row is wrong and is left out: Line 3:')
  expect(words(rest.page)).toContain('Bring in the rest, without that row')
  expect((await bringIn(rest.url, rest.page, { rest: 'yes' })).statusCode).toBe(303)
  expect(rowsOf(app).map(({ externalId }) => externalId)).toEqual(['a'])
})

test('a file is kept encrypted, for a day at most, and a list of people not at all', async () => {
  const { app, server, who, at, look, post } = await aPractice()
  const kept = () => app.db.select().from(sessionImports).all()
  const people = await look('email,starts_at\nmara@sample.test,2026-12-01')
  expect(words(people.page)).toContain('Nothing of it was kept.')
  expect(kept()).toEqual([])
  const one = await look(file(row('a', '2026-12-01T19:00')))
  const stored = kept()[0]?.content ?? ''
  for (const form of ['utf8', 'base64', 'base64url'] as const)
    expect(Buffer.from(stored, form).toString('latin1')).not.toContain('Loose')
  expect((await post(`${one.url}/forget`)).headers.location).toBe('/import')
  expect(kept()).toEqual([])
  const other = await look(file(row('a', '2026-12-01T19:00')))
  await at('2026-11-24T15:00:01.000Z')
  expect((await getAs(server, who, other.url)).statusCode).toBe(404)
})

test('a time that is over is a warning, and what looks sorted wrong must be meant', async () => {
  const { app, look, bringIn } = await aPractice()
  const many = (shift: number) =>
    file(
      ...Array.from({ length: 12 }, (_, n) =>
        row(`s${n}`, `2026-12-${String(n + 1).padStart(2, '0')}T${19 + shift}:00`),
      ),
    )
  const shown = await look(many(0))
  await bringIn(shown.url, shown.page)
  const shifted = await look(many(1))
  expect(words(shifted.page)).toContain('Every start moves by the same amount.')
  expect((await bringIn(shifted.url, shifted.page, { odd: 'yes' })).statusCode).toBe(422)
  expect((await bringIn(shifted.url, shifted.page, { odd: 'yes', sure: 'yes' })).statusCode).toBe(303)
  const past = await look(`${HEAD},repeats\n${row('old', '2026-11-02T19:00')},once`)
  expect(words(past.page)).toContain('This time is over, so nobody is shown it:')
  expect(rowsOf(app)).toHaveLength(12)
})

async function upload(server: Awaited<ReturnType<typeof operatorServer>>, who: Who, bytes: Buffer) {
  const edge = 'a-boundary-of-the-test'
  const head = `--${edge}\r\ncontent-disposition: form-data; name="file"; filename="times.csv"\r\ncontent-type: text/csv\r\n\r\n`
  return server.inject({
    method: 'POST',
    url: '/import',
    headers: {
      host: '127.0.0.1:3001',
      cookie: who.cookie,
      'sec-fetch-site': 'same-origin',
      'content-type': `multipart/form-data; boundary=${edge}`,
    },
    payload: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${edge}--\r\n`)]),
  })
}

test('a file is uploaded: in the encoding of Windows too, but not a workbook or one that is too large', async () => {
  const { app, server, who, bringIn } = await aPractice()
  const windows = Buffer.from(file(row('a', '2026-12-01T19:00').replace('Dr. Lee', 'Dr. Núñez')), 'latin1')
  const { headers } = await upload(server, who, windows)
  const url = String(headers.location)
  await bringIn(url, (await getAs(server, who, url)).body)
  expect(rowsOf(app)).toMatchObject([{ therapist: 'Dr. Núñez' }])
  const wrong = async (bytes: Buffer) => {
    const { statusCode, body } = await upload(server, who, bytes)
    return [statusCode, words(body)]
  }
  expect(await wrong(Buffer.from('PK\u0003\u0004 a workbook'))).toEqual([
    422,
    expect.stringContaining('That is a workbook.'),
  ])
  expect(await wrong(Buffer.alloc(2 * 1024 * 1024 + 1, 'x'))).toEqual([
    422,
    expect.stringContaining('more than 2 MB'),
  ])
})
