import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { aSession, type TestApp, testApp } from '../../../../test/app.ts'
import { uncheck } from '../../../../test/db.ts'
import { buildServer } from '../../server.ts'

const answerTo = async (app: TestApp, url: string) => (await buildServer(app)).inject(url)
const pageAt = async (app: TestApp, url: string) => parse((await answerTo(app, url)).body)
const textsIn = (page: ReturnType<typeof parse>, selector: string) =>
  page.querySelectorAll(selector).map((one) => one.textContent.trim())

/** The page of a group by its title. */
const pathOf = (app: TestApp, title: string) =>
  `/groups/${String(app.db.$client.prepare('select id from groups where title = ?').pluck().get(title))}`

async function appWithGroup() {
  const app = await testApp()
  aSession(app, {
    group: 'Steady Ground',
    startsAtLocal: '2026-12-03T18:00',
    bookingUrl: 'https://book.harbor.test/steady',
    seatsLeft: 2,
    seatsTotal: 8,
  })
  aSession(app, { group: 'Steady Ground', startsAtLocal: '2026-12-01T19:00' })
  aSession(app, { group: 'Low Tide', topic: 'depression' })
  app.db.$client.exec(`update groups set summary = 'For anyone whose worry runs the day.', language = 'es', place = 'Online',
    price = '$40 a session', url = 'https://harbor.test/steady' where title = 'Steady Ground'`)
  return app
}

test('the page of a group says what a reader needs to know, and lists its own times, soonest first', async () => {
  const app = await appWithGroup()
  const page = await pageAt(app, '/groups/1')
  expect(textsIn(page, 'h1')).toEqual(['Steady Ground'])
  const main = page.querySelector('main')
  expect(main?.textContent).toContain('Anxiety · Therapy group · Group in Spanish')
  for (const said of ['For anyone whose worry runs the day.', 'WhereOnline', 'Cost$40 a session'])
    expect(main?.textContent).toContain(said)
  expect(main?.textContent).not.toContain('Low Tide')
  const links = page.querySelectorAll('main a').map((link) => link.getAttribute('href'))
  expect(links).toEqual([
    'https://harbor.test/steady',
    '/groups/1?tz=America%2FNew_York&zones=all',
    expect.stringMatching(/^https:\/\/book\.harbor\.test\//),
    '/sessions/2.ics',
    'https://book.harbor.test/steady',
    '/sessions/1.ics',
    '/sessions',
  ])
  expect(page.querySelectorAll('article')).toHaveLength(2)
})

test('in Spanish it names topic, kind and language in Spanish, and keeps the choice in its links', async () => {
  const app = await appWithGroup()
  const page = await pageAt(app, '/groups/1?lang=es')
  expect(page.querySelector('main')?.textContent).toContain('Ansiedad · Grupo de terapia · Grupo en español')
  expect(page.querySelectorAll('main a').at(-1)?.getAttribute('href')).toBe('/sessions?lang=es')
  expect(page.querySelector('input[name=lang]')?.getAttribute('value')).toBe('es')
})

test('times are shown in the zone that was asked for', async () => {
  const page = await pageAt(await appWithGroup(), '/groups/1?tz=Europe/London')
  expect(page.querySelector('option[selected]')?.getAttribute('value')).toBe('Europe/London')
  expect(textsIn(page, '.when').join()).toMatch(/Wednesday, December 2\s*12:00 AM/)
})

test('a group of which nothing is said has no empty lines', async () => {
  const app = await appWithGroup()
  const page = await pageAt(app, pathOf(app, 'Low Tide'))
  expect(page.querySelector('.facts, .summary')).toBeNull()
  expect(page.querySelector('main')?.textContent).toContain('Depression · Therapy group')
})

test('without open times it offers to sign up, and no search engine lists it', async () => {
  const app = await appWithGroup()
  expect((await answerTo(app, '/groups/1')).headers['x-robots-tag']).toBeUndefined()
  app.db.$client.exec("update sessions set status = 'full'")
  const { body, headers } = await answerTo(app, '/groups/1?lang=es')
  expect(headers['x-robots-tag']).toBe('noindex')
  const page = parse(body)
  expect(page.querySelectorAll('article')).toEqual([])
  expect(page.querySelector('main a.button')?.getAttribute('href')).toBe('/?lang=es')
})

test('it follows every change of the group at once, and sets no cookie', async () => {
  const app = await appWithGroup()
  const server = await buildServer(app)
  const look = async () => (await server.inject('/groups/1')).body
  expect(await look()).toContain('$40 a session')
  app.db.$client.exec("update groups set price = '$45 a session'")
  expect(await look()).toContain('$45 a session')
  app.db.$client.exec(`update topics set names = '{"en":"Worry"}' where slug = 'anxiety'`)
  expect(await look()).toContain('Worry · Therapy group')
  expect((await server.inject('/groups/1')).headers['set-cookie']).toBeUndefined()
})

test.each([
  '/groups/99',
  '/groups/0',
  '/groups/x',
  '/groups/-1',
  '/groups/1x',
  '/groups/',
  `/groups/${'9'.repeat(20)}`,
])('%s is not there', async (url) => {
  expect((await answerTo(await appWithGroup(), url)).statusCode).toBe(404)
})

test('what another program wrote is shown as text, and never as a link that runs', async () => {
  const app = await appWithGroup()
  uncheck(app.db, 'groups')
  app.db.$client.exec(`update groups set title = '<b>Steady</b>', summary = '<script>alert(1)</script>',
    url = 'javascript:alert(1)', language = 'tlh-QO' where id = 1`)
  const { body } = await answerTo(app, '/groups/1')
  expect(body).not.toMatch(/<script>alert|<b>Steady|javascript:/)
  expect(body).toContain('&lt;b&gt;Steady')
})

test('what to expect is on the page of times and of a group, in the language of the page', async () => {
  const app = await appWithGroup()
  for (const url of ['/sessions', '/groups/1', pathOf(app, 'Low Tide')]) {
    const page = await pageAt(app, url)
    expect([url, textsIn(page, '.expect summary')]).toEqual([url, ['What to expect']])
    expect(textsIn(page, '.expect dt')).toContain('After you select Reserve')
  }
  const spanish = await pageAt(app, '/groups/1?lang=es')
  expect(spanish.querySelector('.expect dl')?.getAttribute('lang')).toBe('es')
  expect(textsIn(spanish, '.expect dt')).toContain('La primera vez')
})
