import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import {
  aSession,
  aSubscriber,
  LINK_SECRET,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../../test/app.ts'
import { imageOf } from '../../../../test/db.ts'
import { submitNotice } from '../../../actions/subscribers/notices.ts'
import { hashEmail, signDatedToken, signToken } from '../../../core/tokens.ts'
import { owedNotices } from '../../../db/people/notices.ts'
import { personalDataOf } from '../../../db/people/personal-data.ts'
import { buildServer } from '../../server.ts'

const ADA = 'ada@sample.test'
const NEW = 'ada.moreno@elsewhere.test'
const ADAS_ID = 'AdasPublicId0000000000'
const linkOf = (purpose: 'preferences' | 'unsubscribe' = 'preferences', id = ADAS_ID) =>
  `/${purpose}/${signToken(LINK_SECRET, purpose, id)}`
const PAGE = linkOf()
const FILLED = { name: 'Ada', tz: 'America/New_York', cadence: 'weekly' }

type Seed = Parameters<typeof aSubscriber>[2]

async function withAda(seed: Seed = {}) {
  const app = await testApp()
  aSubscriber(app, ADA, { publicId: ADAS_ID, name: 'Ada', ...seed })
  const server = await buildServer(app)
  const post = (url: string, form: Record<string, string | string[]> = {}) =>
    server.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(
        Object.entries(form).flatMap(([name, values]) =>
          [values].flat().map((value): [string, string] => [name, value]),
        ),
      ).toString(),
    })
  /** Posts, follows the redirect, and returns the page. */
  const save = async (url: string, form: Record<string, string | string[]> = {}) => {
    const answer = await post(url, form)
    expect(answer.statusCode).toBe(303)
    return parse((await server.inject(String(answer.headers.location))).body)
  }
  return { app, server, post, save, show: async () => parse((await server.inject(PAGE)).body) }
}

const stored = (app: TestApp) =>
  app.db.$client.prepare('select * from subscribers where public_id = ?').get(ADAS_ID) as Record<
    string,
    unknown
  >
const topicsOf = async (app: TestApp) =>
  (await personalDataOf(app.store, hashEmail(app.hashKey, ADA))).topics
    .filter(({ chosen }) => chosen)
    .map(({ topic }) => topic)
const statusIn = (page: ReturnType<typeof parse>) => page.querySelector('[role=status]')?.textContent
const text = (page: ReturnType<typeof parse>) => page.textContent.replace(/\s+/g, ' ')

test('what is saved is stored, confirmed and shown again', async () => {
  const { app, save } = await withAda({ topics: ['ocd'] })
  const page = await save(PAGE, {
    name: '  Ada   M. ',
    tz: 'Asia/Kolkata',
    cadence: 'monthly',
    discreet: '1',
    topics: ['anxiety', 'depression'],
  })
  expect(statusIn(page)).toBe('Saved. Your changes apply starting with the next email.')
  expect(stored(app)).toMatchObject({
    name: 'Ada M.',
    time_zone: 'Asia/Kolkata',
    cadence: 'monthly',
    discreet: 1,
  })
  expect(await topicsOf(app)).toEqual(['anxiety', 'depression'])
  expect(page.querySelectorAll('[checked]').map((input) => input.getAttribute('value'))).toEqual([
    'anxiety',
    'depression',
    'monthly',
    '1',
  ])
  expect(page.querySelectorAll('#tz option[selected]').map((one) => one.getAttribute('value'))).toEqual([
    'Asia/Kolkata',
  ])
  expect(page.querySelector('#name')?.getAttribute('value')).toBe('Ada M.')
})

test('no topic means every topic, no tick no discreet mode, no name no name', async () => {
  const { app, save } = await withAda({ topics: ['ocd'], discreet: true })
  await save(PAGE, { ...FILLED, name: '' })
  expect(await topicsOf(app)).toEqual([])
  expect(stored(app)).toMatchObject({ name: null, discreet: 0 })
})

const MISTAKES = [
  {
    form: { ...FILLED, name: 'x'.repeat(61) },
    field: 'name',
    says: 'Enter a name of 60 characters or fewer.',
  },
  {
    form: { ...FILLED, name: 'see evil.example' },
    field: 'name',
    says: 'Enter a first name, without links, email addresses, or phone numbers.',
  },
  { form: { ...FILLED, tz: 'Mars/Olympus' }, field: 'tz', says: 'Choose a time zone from the list.' },
  { form: { name: 'Bo', cadence: 'weekly' }, field: 'tz', says: 'Choose a time zone from the list.' },
  { form: { ...FILLED, cadence: 'hourly' }, field: 'cadence', says: 'Choose how often you want our emails.' },
  {
    form: { ...FILLED, topics: 'astrology' },
    field: 'topics',
    says: 'One of these topics is no longer available. Please choose again.',
  },
  { form: { ...FILLED, language: 'tlh' }, field: 'language', says: 'Choose a language from the list.' },
  { form: {}, field: 'cadence', says: 'Choose how often you want our emails.' },
]

test.each(MISTAKES)(
  'a mistake in $field is named beside it, and nothing is saved',
  async ({ form, field, says }) => {
    const { app, post } = await withAda()
    const before = await imageOf(app.store)
    const answer = await post(PAGE, form)
    expect(answer.statusCode).toBe(422)
    const page = parse(answer.body)
    expect(page.querySelector(`#${field}-problem`)?.textContent).toContain(says)
    expect(page.querySelectorAll(`[aria-describedby~=${field}-problem]`)).toHaveLength(1)
    expect(page.querySelector('[role=alert]')?.textContent).toContain('Your changes aren’t saved yet')
    expect((await imageOf(app.store)).equals(before)).toBe(true)
  },
)

test('a card saves what is in it, and nothing else; pages of before there were cards still save all', async () => {
  const { app, save } = await withAda({ topics: ['ocd'], name: 'A'.repeat(100), discreet: true })
  const get = await save(PAGE, { part: 'get', cadence: 'monthly', topics: 'anxiety' })
  expect(statusIn(get)).toBe('Saved. Your changes apply starting with the next email.')
  const before = { name: 'A'.repeat(100), time_zone: 'America/New_York', discreet: 1 }
  expect(stored(app)).toMatchObject({ ...before, cadence: 'monthly' })
  await save(PAGE, { part: 'look', name: 'A'.repeat(100), tz: 'Asia/Tokyo', language: 'es' })
  const after = { name: 'A'.repeat(100), time_zone: 'Asia/Tokyo', discreet: 0, locale: 'es' }
  expect(stored(app)).toMatchObject({ ...after, cadence: 'monthly' })
  expect(await topicsOf(app)).toEqual(['anxiety'])
  await save(PAGE, FILLED)
  expect(stored(app)).toMatchObject({ name: 'Ada', time_zone: 'America/New_York', cadence: 'weekly' })
  expect(await topicsOf(app)).toEqual([])
})

test.each([
  ['', { part: 'get', cadence: 'weekly' }, 'get'],
  ['', { part: 'look', tz: 'UTC' }, 'look'],
  ['', FILLED, 'get'],
  ['/calendar', {}, 'calendar'],
  ['/calendar/remove', {}, 'calendar'],
  ['/pause', { weeks: '2' }, 'pause'],
  ['/pause/end', {}, 'pause'],
])('what %s %j did is said in its card, once', async (path, form, card) => {
  const { post, server } = await withAda()
  const location = String((await post(PAGE + path, form)).headers.location)
  expect(new URL(location, 'https://x.test').hash).toBe(`#${card}`)
  const page = parse((await server.inject(location.replace(/#.*/, ''))).body)
  const place = page.querySelector(`#${card}`)
  const said = page.querySelectorAll('[role=status]').filter((one) => one.textContent.trim() !== '')
  expect(said).toHaveLength(1)
  expect(place?.closest('.card')?.querySelectorAll('.said')).toEqual(said)
})

test('mistakes are listed at the top, with links to their fields, and in the title', async () => {
  const { post, show } = await withAda()
  const page = parse((await post(PAGE, { ...FILLED, tz: '', cadence: '', topics: 'astrology' })).body)
  expect(page.querySelector('title')?.textContent).toMatch(/^Error: /)
  expect(page.querySelector('[role=alert]')?.hasAttribute('autofocus')).toBe(true)
  const links = page.querySelectorAll('[role=alert] a').map((link) => link.getAttribute('href') ?? '')
  expect(links).toEqual(['#topics', '#cadence', '#tz'])
  for (const link of links) expect(page.querySelector(link)).not.toBeNull()
  expect(page.querySelector('#topics')?.closest('details')?.hasAttribute('open')).toBe(true)
  expect((await show()).querySelector('title')?.textContent).not.toMatch(/^Error/)
})

test('after a mistake all that was typed is still there', async () => {
  const { post } = await withAda()
  const name = `${'y'.repeat(121)}"><script>`
  const answer = await post(PAGE, {
    name,
    tz: 'Europe/Lisbon',
    cadence: 'monthly',
    discreet: '1',
    topics: 'ocd',
  })
  const page = parse(answer.body)
  expect(page.querySelector('#name')?.getAttribute('value')).toBe(name)
  expect(page.querySelector('#tz option[selected]')?.getAttribute('value')).toBe('Europe/Lisbon')
  expect(page.querySelectorAll('[checked]').map((one) => one.getAttribute('value'))).toEqual([
    'ocd',
    'monthly',
    '1',
  ])
  expect(page.querySelectorAll('script')).toEqual([])
})

test('a body that is no form saves nothing', async () => {
  const { app, server } = await withAda()
  const before = await imageOf(app.store)
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=b'])
    for (const payload of ['{"tz":"UTC"}', '__proto__[tz]=UTC', ''])
      expect(
        (await server.inject({ method: 'POST', url: PAGE, headers: { 'content-type': type }, payload }))
          .statusCode,
      ).toBe(422)
  expect((await imageOf(app.store)).equals(before)).toBe(true)
})

// Monday, 10:00 in New York, clocks as in winter. The edition of the day that the pause ends on is not missed.
test.each([
  { weeks: '2', zone: 'America/New_York', until: '2026-12-07T05:00:00.000Z', day: 'Monday, December 7' },
  { weeks: '4', zone: 'America/New_York', until: '2026-12-21T05:00:00.000Z', day: 'Monday, December 21' },
  { weeks: '8', zone: 'Asia/Tokyo', until: '2027-01-18T15:00:00.000Z', day: 'Tuesday, January 19' },
])('a pause of $weeks weeks in $zone ends as $day begins', async ({ weeks, zone, until, day }) => {
  const { app, save } = await withAda({ timeZone: zone, seenThrough: 7 })
  const page = await save(`${PAGE}/pause`, { weeks })
  expect(stored(app)).toMatchObject({ paused_until: Date.parse(until), seen_through: 7 })
  expect(statusIn(page)).toContain(`Your emails are paused until ${day}.`)
  expect(page.querySelectorAll('.said')).toHaveLength(1)

  const after = await save(`${PAGE}/pause/end`)
  expect(stored(app)).toMatchObject({ paused_until: null, seen_through: 7 })
  expect(statusIn(after)).toContain('Your emails are back on')
})

test('a pause until a day ends as that day begins for the reader', async () => {
  const { app, save } = await withAda({ timeZone: 'Australia/Sydney' })
  await save(`${PAGE}/pause`, { until: '2027-01-05' })
  expect(stored(app)).toMatchObject({ paused_until: Date.parse('2027-01-04T13:00:00.000Z') })
})

test.each([
  ['2026-11-23', 'Choose a date after today.'],
  ['2020-01-01', 'Choose a date after today.'],
  ['2027-11-24', 'Choose a date within the next year.'],
  ['2026-02-30', 'Enter a date like 2026-12-24.'],
  ['soon', 'Enter a date like 2026-12-24.'],
  ['', 'Choose a date.'],
])('a pause until “%s” is refused: %s', async (until, says) => {
  const { app, post } = await withAda()
  const answer = await post(`${PAGE}/pause`, { until })
  expect(answer.statusCode).toBe(422)
  const page = parse(answer.body)
  expect(page.querySelector('#until-problem')?.textContent).toContain(says)
  expect(page.querySelector('#until')?.getAttribute('value')).toBe(until)
  expect(stored(app)).toMatchObject({ paused_until: null })
})

test('a pause of other weeks than the page offers is refused', async () => {
  const { app, post } = await withAda()
  for (const weeks of ['3', '-2', '1e9', '2 weeks'])
    expect((await post(`${PAGE}/pause`, { weeks })).statusCode).toBe(422)
  expect(stored(app)).toMatchObject({ paused_until: null })
})

test('the page fits into 50 KB with every zone of the list', async () => {
  const { server } = await withAda()
  const { body } = await server.inject(PAGE)
  expect(Buffer.byteLength(body)).toBeLessThan(50 * 1024)
  const offered = new Set(
    parse(body)
      .querySelectorAll('#tz option')
      .map((one) => one.getAttribute('value')),
  )
  const canonical = (zone = '') =>
    new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  const reached = new Set([...offered].map(canonical))
  const missing = Intl.supportedValuesOf('timeZone').filter((zone) => !reached.has(zone))
  // Nobody subscribes from a station in the ice; who has such a zone keeps it.
  expect(missing.filter((zone) => !/^Antarctica\/|^Arctic\//.test(zone))).toEqual([])
})

test('whatever a scanner opens, nothing changes', async () => {
  const { app, server } = await withAda()
  const confirm = `/change-address/${signDatedToken(LINK_SECRET, 'change-address', 'SomeChange', app.now())}`
  const before = await imageOf(app.store)
  const paths = [
    '',
    '?saved=pause',
    '?saved=<b>',
    '?tz=UTC&name=Eve',
    '/data.json',
    '/forget',
    '/forget?confirm=1',
  ]
  for (const method of ['HEAD', 'GET', 'GET'] as const) {
    for (const path of paths)
      expect((await server.inject({ method, url: PAGE + path })).statusCode).toBeLessThan(304)
    for (const path of [
      '/pause',
      '/pause/end',
      '/address',
      '/data',
      '/links',
      '/newest',
      '/calendar',
      '/calendar/replace',
      '/calendar/remove',
    ])
      expect((await server.inject({ method, url: PAGE + path })).statusCode).toBeGreaterThan(302)
    for (const path of ['/pause', '/monthly'])
      expect((await server.inject({ method, url: linkOf('unsubscribe') + path })).statusCode).toBe(303)
    expect((await server.inject({ method, url: confirm })).statusCode).toBe(404)
  }
  expect((await imageOf(app.store)).equals(before)).toBe(true)
})

test('a link that is forged, for something else, or for no subscriber says how to get a fresh one and does nothing', async () => {
  const { app, server, post } = await withAda()
  const before = await imageOf(app.store)
  const answers = new Set<string>()
  const tokens = [
    `${ADAS_ID}.${'x'.repeat(24)}`,
    signToken(LINK_SECRET, 'unsubscribe', ADAS_ID),
    signToken(LINK_SECRET, 'preferences', 'Nobody'),
    '%3Cscript%3E',
    'long'.repeat(2_000),
  ]
  for (const token of tokens) {
    for (const path of ['', '/data.json', '/forget']) {
      const answer = await server.inject(`/preferences/${token}${path}`)
      expect(answer.statusCode).toBe(404)
      answers.add(answer.body)
    }
    for (const path of [
      '',
      '/pause',
      '/pause/end',
      '/address',
      '/forget',
      '/calendar',
      '/data',
      '/links',
      '/newest',
    ])
      answers.add((await post(`/preferences/${token}${path}`, { ...FILLED, weeks: '2', email: NEW })).body)
  }
  // One page for whoever's token is not whole, one for a whole token of nobody.
  expect(answers.size).toBe(2)
  for (const answer of answers)
    expect(answer).toContain('To get a new link, <a href="/">enter your address on the sign-up page</a>')
  expect((await imageOf(app.store)).equals(before)).toBe(true)
})

test('someone who unsubscribed sees that and can change nothing', async () => {
  const { app, save, show } = await withAda({ status: 'unsubscribed' })
  expect(text(await show())).toContain('You’re not subscribed')
  const before = await imageOf(app.store)
  for (const path of ['', '/pause', '/pause/end', '/calendar'])
    expect(statusIn(await save(PAGE + path, { ...FILLED, weeks: '2', email: NEW }))).toBeUndefined()
  expect((await imageOf(app.store)).equals(before)).toBe(true)
})

test('unsubscribing comes first; a pause or fewer emails are offered after it', async () => {
  const { app, server, post } = await withAda({ seenThrough: 7 })
  const link = linkOf('unsubscribe')
  const page = parse((await server.inject(link)).body)
  expect(
    page
      .querySelectorAll('form')
      .map((form) => [form.getAttribute('action'), form.querySelector('button')?.text]),
  ).toEqual([
    [undefined, 'Unsubscribe'],
    [`${link}/pause`, 'Pause for 4 weeks'],
    [`${link}/monthly`, 'Email me every 4 weeks'],
  ])
  expect(text(parse((await post(`${link}/monthly`)).body))).toContain('You’ll get an email every 4 weeks')
  expect(text(parse((await post(`${link}/pause`)).body))).toContain('Your emails are paused for 4 weeks')
  expect(stored(app)).toMatchObject({
    status: 'active',
    cadence: 'monthly',
    paused_until: Date.parse('2026-12-21T05:00:00Z'),
    seen_through: 7,
  })
  await post(link)
  expect(stored(app)).toMatchObject({ status: 'unsubscribed' })
  for (const path of ['/pause', '/monthly']) {
    expect((await post(link + path)).body).toContain('Nothing was changed')
    expect((await post(`/unsubscribe/forged.token${path}`)).body).toContain('Nothing was changed')
  }
  expect(stored(app)).toMatchObject({ status: 'unsubscribed' })
})

test('the calendar has an address when asked for, another when replaced, none when removed', async () => {
  const { app, server, save, show } = await withAda()
  const addressOn = (page: ReturnType<typeof parse>) => page.querySelector('.secret')?.textContent
  expect(addressOn(await show())).toBeUndefined()
  const first = addressOn(await save(`${PAGE}/calendar`)) ?? ''
  expect((await server.inject(new URL(first).pathname)).statusCode).toBe(200)
  const second = addressOn(await save(`${PAGE}/calendar/replace`)) ?? ''
  expect(second).not.toBe(first)
  expect((await server.inject(new URL(first).pathname)).statusCode).not.toBe(200)
  expect(addressOn(await save(`${PAGE}/calendar/remove`))).toBeUndefined()
  expect(stored(app)).toMatchObject({ calendar_key: null })
})

test('a calendar link opens in Apple’s and Google’s calendar, and can be copied by our script alone', async () => {
  const { server, save } = await withAda()
  const plain = await server.inject(PAGE)
  expect(plain.headers['content-security-policy']).not.toContain('script-src')
  expect(parse(plain.body).querySelector('script')).toBeNull()
  const page = await save(`${PAGE}/calendar`)
  const link = page.querySelector('#link')?.textContent ?? ''
  const apple = link.replace('https:', 'webcal:')
  const buttons = page.querySelectorAll('#calendar a').map((one) => one.getAttribute('href'))
  const google = `https://calendar.google.com/calendar/r?cid=${encodeURIComponent(apple)}`
  expect(buttons).toEqual([apple, google])
  expect(page.querySelector('#copy')?.hasAttribute('hidden')).toBe(true)
  expect(page.querySelector('#calendar')?.textContent).toContain('Google’s, gets the link')
  const { headers } = await server.inject(PAGE)
  expect(headers['content-security-policy']).toMatch(/default-src 'none';.*;script-src 'self'$/)
  expect((await server.inject(page.querySelector('script')?.getAttribute('src') ?? '')).statusCode).toBe(200)
})

test('a discreet email does not show the practice before it is opened: not in sender, subject or preview', async () => {
  const { app, post } = await withAda()
  aSubscriber(app, 'ben@sample.test')
  aSession(app)
  await post(PAGE, { ...FILLED, discreet: '1' })
  await post(`${PAGE}/data`)
  for (const { id } of await owedNotices(app.store, app.now(), 10)) await submitNotice(app, id)
  await planNow(app)
  await submitOwed(app)
  const mails = app.resend.accepted.filter(({ to }) => to[0] !== 'ben@sample.test')
  expect(mails.map(({ from, subject }) => [from, subject])).toEqual([
    ['Weekly update <groups@mail.harbor.test>', 'The link you asked for'],
    ['Weekly update <groups@mail.harbor.test>', 'Your weekly update'],
  ])
  for (const { html, headers } of mails) {
    expect(preview(html)).not.toMatch(/harbor|group|anxiety/i)
    expect(JSON.stringify({ ...headers, 'List-Unsubscribe': '', 'List-Id': '' })).not.toMatch(/harbor/i)
  }
  expect(app.resend.accepted.find(({ to }) => to[0] === 'ben@sample.test')?.from).toBe(
    'Harbor Groups <groups@mail.harbor.test>',
  )
})

/** What an inbox may show beside the subject: the first 140 characters of the body, hidden or not. */
const preview = (html: string): string =>
  (parse(html).querySelector('body')?.textContent ?? '').replace(/\s+/g, ' ').trim().slice(0, 140)
