import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import {
  aSession,
  aSubscriber,
  planNow,
  recountTally,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../../test/app.ts'
import { uncheck } from '../../../../test/db.ts'
import { cancelEdition, pauseEdition } from '../../../db/ledger/edition-states.ts'
import { editions } from '../../../db/schema/ledger.ts'
import { buildServer } from '../../server.ts'

async function pageAt(app: TestApp, url: string) {
  return parse((await (await buildServer(app)).inject(url)).body)
}
const texts = (page: ReturnType<typeof parse>, selector: string) =>
  page.querySelectorAll(selector).map((one) => one.textContent.trim())

/** The text of an element, with plain spaces. */
const spaced = ({ textContent }: { textContent: string }): string => textContent.replaceAll('\u00a0', ' ')

test('the sessions page lists what can be reserved, by day and soonest first', async () => {
  const app = await testApp()
  aSession(app, { group: 'Second Breath', startsAtLocal: '2026-12-03T18:00' })
  aSession(app, { group: 'First Light', startsAtLocal: '2026-12-01T19:00', seatsLeft: 2, seatsTotal: 8 })
  aSession(app, { topic: 'ocd', group: 'Loose Ends', bookingUrl: 'https://book.harbor.test/loose-ends' })
  aSession(app, { group: 'Full House', status: 'full' })
  aSession(app, { group: 'Long Gone', startsAtLocal: '2026-11-01T19:00', repeats: 'once' })
  const page = await pageAt(app, '/sessions')
  const list = page
    .querySelectorAll('section')
    .map((section) => [
      section.querySelector('h2')?.textContent,
      ...section.querySelectorAll('h3').map((group) => group.textContent),
    ])
  expect(list).toEqual([
    ['Tuesday, December 1', 'First Light', 'Loose Ends'],
    ['Thursday, December 3', 'Second Breath'],
  ])
  expect(texts(page, '.when')).toEqual(['7:00 PM', '7:00 PM', '6:00 PM'])
  const first = page.querySelector('article')
  expect(first?.querySelectorAll('.what p').map(spaced)).toEqual([
    ...['Anxiety', 'Weekly · 90 min · Dr. Mira Lee · 2 spots left'],
  ])
  expect(first?.querySelector('h3 a')?.getAttribute('href')).toBe('/groups/2')
  expect(page.querySelectorAll('article .button')[1]?.getAttribute('href')).toBe(
    'https://book.harbor.test/loose-ends',
  )
  expect(page.querySelectorAll('.add').map((link) => link.getAttribute('href'))).toEqual([
    '/sessions/2.ics',
    '/sessions/3.ics',
    '/sessions/1.ics',
  ])
})

test.each([
  ['?tz=Europe/London', 'Europe/London', 'Wednesday, December 2', '12:00 AM'],
  ['?tz=America/Los_Angeles', 'America/Los_Angeles', 'Tuesday, December 1', '4:00 PM'],
  ['?tz=Asia/Calcutta', 'Asia/Kolkata', 'Wednesday, December 2', '5:30 AM'],
  ['?tz=Nowhere/Land', 'America/New_York', 'Tuesday, December 1', '7:00 PM'],
  ['?tz=UTC&tz=UTC', 'America/New_York', 'Tuesday, December 1', '7:00 PM'],
  ['?tz=%zz', 'America/New_York', 'Tuesday, December 1', '7:00 PM'],
])('/sessions%s shows times in %s', async (query, zone, day, time) => {
  const app = await testApp()
  aSession(app)
  const page = await pageAt(app, `/sessions${query}`)
  expect(page.querySelectorAll('option[selected]').map((one) => one.getAttribute('value'))).toEqual([zone])
  expect(page.querySelector('.day h2')?.textContent).toBe(day)
  expect(page.querySelector('.when')?.childNodes[0]?.textContent).toBe(time)
})

test('every zone can be chosen without a script', async () => {
  const app = await testApp()
  aSession(app)
  const near = await pageAt(app, '/sessions?topic=ocd&tz=Europe/Berlin')
  expect(near.querySelectorAll('option').length).toBeLessThan(100)
  expect(near.querySelector('option[selected]')?.getAttribute('value')).toBe('Europe/Berlin')
  const link = near.querySelector('form a')?.getAttribute('href')?.replaceAll('&amp;', '&') ?? ''
  const page = await pageAt(app, link)
  expect(page.querySelector('[name=topic]')?.getAttribute('value')).toBe('ocd')
  expect(page.querySelector('details.clock')?.hasAttribute('open')).toBe(true)
  const offered = page.querySelectorAll('option').map((option) => option.getAttribute('value') ?? '')
  expect(offered.length).toBeGreaterThan(400)
  for (const zone of ['America/New_York', 'Europe/Berlin', 'Asia/Tokyo', 'UTC'])
    expect(offered).toContain(zone)
  expect(page.querySelector('form')?.getAttribute('method') ?? 'get').toBe('get')
  expect(page.querySelector('form button')).not.toBeNull()
})

test.each([
  ['?topic=ocd', ['OCD']],
  ['?topic=ocd&topic=trauma-and-ptsd', ['OCD', 'Trauma and PTSD']],
  ['?topic=nothing-like-this', ['Anxiety', 'OCD', 'Trauma and PTSD']],
  ['', ['Anxiety', 'OCD', 'Trauma and PTSD']],
])('/sessions%s shows %p', async (query, shown) => {
  const app = await testApp()
  for (const topic of ['anxiety', 'ocd', 'trauma-and-ptsd']) aSession(app, { topic })
  const page = await pageAt(app, `/sessions${query}`)
  expect([...new Set(texts(page, '.topic'))].toSorted()).toEqual(shown)
  expect(texts(page, '.chips a')).toEqual(['All topics', 'Anxiety', 'OCD', 'Trauma and PTSD'])
  const narrowed = shown.length < 3 ? shown : ['All topics']
  expect(texts(page, '.chips [aria-current]')).toEqual(narrowed)
  // The choice of a zone keeps the topics.
  expect(page.querySelectorAll('[name=topic]').map((field) => field.getAttribute('value'))).toEqual(
    [...query.matchAll(/topic=(ocd|trauma-and-ptsd)/g)].map(([, slug]) => slug),
  )
})

test('a topic is added and taken away by its link, and the others stay as they are', async () => {
  const app = await testApp()
  for (const topic of ['anxiety', 'ocd', 'trauma-and-ptsd']) aSession(app, { topic })
  const page = await pageAt(app, '/sessions?topic=ocd&topic=trauma-and-ptsd&tz=Europe/London&lang=en&page=1')
  const links = page.querySelectorAll('.chips a').map((link) => {
    const { pathname, searchParams } = new URL(link.getAttribute('href') ?? '', 'https://x.test')
    return [pathname, searchParams.get('tz'), searchParams.get('lang'), ...searchParams.getAll('topic')]
  })
  const kept = ['/sessions', 'Europe/London', 'en']
  expect(links).toEqual([
    kept,
    [...kept, 'ocd', 'trauma-and-ptsd', 'anxiety'],
    [...kept, 'trauma-and-ptsd'],
    [...kept, 'ocd'],
  ])
})

test('the page offers the weekly email at the top, at the end, and where nothing is open', async () => {
  const app = await testApp()
  const joins = async (url: string) =>
    (await pageAt(app, url)).querySelectorAll('main a[href="/?lang=es"]').map((link) => link.textContent)
  expect(await joins('/sessions?lang=es')).toEqual(['Recibir el correo semanal'])
  aSession(app)
  expect(await joins('/sessions?lang=es')).toEqual([
    'suscríbete al correo semanal',
    'Recibir el correo semanal',
  ])
  expect(await joins('/sessions?lang=es&topic=ocd')).toEqual(['Recibir el correo semanal'])
})

test('the crisis line comes before the list, once, by the zone of the visitor', async () => {
  const app = await testApp({ settings: { CRISIS_LINE: 'ca' } })
  aSession(app)
  for (const [query, says] of [
    ['', '988'],
    ['?tz=Europe/London', '116 123'],
    ['?tz=Europe/London&topic=ocd', '116 123'],
  ] as const) {
    const page = await pageAt(app, `/sessions${query}`)
    const [line, ...more] = texts(page, '.crisis')
    expect([query, line, more]).toEqual([query, expect.stringContaining(says), []])
    expect(texts(page, 'main .crisis ~ *').length).toBeGreaterThan(0)
  }
  expect(texts(await pageAt(app, '/sessions'), '.crisis')[0]).toContain('Canada')
})

test('from a discreet email, every time that is saved is a discreet event', async () => {
  const app = await testApp()
  for (let n = 0; n < 21; n += 1) aSession(app, { group: n % 2 ? 'First Light' : 'Loose Ends' })
  const id = await planNow(app)
  const linksOf = async (path: string) =>
    (await pageAt(app, path)).querySelectorAll('main a').map((link) => link.getAttribute('href') ?? '')
  const seen = new Set<string>()
  for (const path of [`/editions/${id}?discreet=1`, '/sessions?discreet=1&lang=en', '/groups/1?discreet=1']) {
    const links = (await linksOf(path)).filter((link) => /^\/(sessions|groups|editions)\b/.test(link))
    for (const link of links) seen.add(link.replace(/\d+|\?.*/g, ''))
    expect([path, links.filter((link) => !link.includes('discreet=1'))]).toEqual([path, []])
    expect((await pageAt(app, path)).querySelector('input[name=discreet]')?.getAttribute('value')).toBe('1')
  }
  expect([...seen].sort()).toEqual(['/editions/--', '/groups/', '/sessions', '/sessions/.ics'])
  expect((await linksOf('/sessions')).filter((link) => link.includes('discreet'))).toEqual([])
})

test('a row says what is known of the group, its summary once', async () => {
  const app = await testApp()
  aSession(app, { group: 'Suelo Firme' })
  aSession(app, { group: 'Suelo Firme', startsAtLocal: '2026-12-02T19:00' })
  app.db.$client.exec(
    "update groups set language = 'es', place = 'Online, by video', price = '$40, and less if you need it to be less', summary = 'For anxious days.'",
  )
  const page = await pageAt(app, '/sessions')
  const known = 'Group in Spanish · Online, by video · $40, and less if you need it to be less'
  const rows = page.querySelectorAll('.what').map((row) => row.querySelectorAll('p').map(spaced))
  expect(rows.map(([, facts, ...lines]) => [facts?.endsWith(` · ${known}`), ...lines])).toEqual([
    [true, 'For anxious days.'],
    [true],
  ])
  const spanish = await pageAt(app, '/sessions?lang=es')
  expect(spanish.querySelector('.what')?.textContent).not.toContain('Grupo en')
})

test('a topic without a free spot says so, and leads to the others', async () => {
  const app = await testApp()
  aSession(app)
  const page = await pageAt(app, '/sessions?topic=ocd')
  expect(texts(page, '.box p')[0]).toContain('No open spots here right now')
  expect(page.querySelector('.act a.second')?.getAttribute('href')).toBe('/sessions')
})

test('with nothing to reserve the page says so', async () => {
  const page = await pageAt(await testApp(), '/sessions')
  expect(texts(page, '.box p')[0]).toContain('No open spots right now')
})

test('two hundred times come in pages of less than 50 KB, none missing and none twice', async () => {
  const app = await testApp()
  const topics = ['anxiety', 'ocd', 'trauma-and-ptsd', 'depression']
  for (let n = 1; n <= 200; n += 1)
    aSession(app, {
      topic: topics[n % 4] ?? '',
      group: `Skills for Strong Feelings and Long Names ${n}`,
      timeZone: 'America/Los_Angeles',
      seatsTotal: 8,
      seatsLeft: 2,
      bookingUrl: `https://book.harbor.test/groups/skills-for-strong-feelings/${n}?from=page`,
    })
  const server = await buildServer(app)
  const css = (await server.inject('/style.css')).body
  const groups: string[] = []
  let url: string | undefined =
    '/sessions?topic=anxiety&topic=ocd&topic=trauma-and-ptsd&topic=depression&tz=Europe/London'
  while (url) {
    const { body } = await server.inject(url)
    expect(Buffer.byteLength(body + css)).toBeLessThan(50_000)
    const page = parse(body)
    expect(page.querySelector('option[selected]')?.getAttribute('value')).toBe('Europe/London')
    groups.push(...texts(page, 'h3'))
    url = page.querySelector('a[rel=next]')?.getAttribute('href')?.replaceAll('&amp;', '&')
  }
  expect(groups).toHaveLength(200)
  expect(new Set(groups).size).toBe(200)
  const last = parse((await server.inject('/sessions?page=999')).body)
  expect(texts(last, '.pages span')).toEqual(['Page 10 of 10'])
})

test('words and links from a booking system are shown as text, and never run', async () => {
  const app = await testApp()
  aSession(app, { group: '<script>alert(1)</script>' })
  uncheck(app.db, 'sessions')
  aSession(app, { group: 'Sly', bookingUrl: 'javascript:alert(1)' })
  const { body } = await (await buildServer(app)).inject('/sessions')
  expect(body).toContain('&lt;script&gt;')
  expect(body).not.toMatch(/<script>|javascript:|Sly/)
})

test('the pages of times run one script, of our own; no other page does', async () => {
  const server = await buildServer(await testApp())
  const { headers, body } = await server.inject('/sessions')
  expect(headers['content-security-policy']).toContain("default-src 'none';")
  expect(headers['content-security-policy']).toMatch(/;script-src 'self'$/)
  const src = /<script src="(\/zone\.js\?\w+)" defer><\/script>/.exec(body)?.[1] ?? ''
  const script = await server.inject(src)
  expect([script.statusCode, script.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
  expect(body.match(/<script/g)).toHaveLength(1)
  expect((await server.inject('/unsubscribe/x')).headers['content-security-policy']).not.toContain(
    'script-src',
  )
})

test.each([
  ['https://x.test/sessions', 'America/New_York', 'https://x.test/sessions?tz=Europe%2FBerlin'],
  [
    'https://x.test/sessions?topic=ocd#session-3',
    'UTC',
    'https://x.test/sessions?topic=ocd&tz=Europe%2FBerlin#session-3',
  ],
  ['https://x.test/sessions', 'Europe/Berlin', null],
  ['https://x.test/sessions', 'short', 'https://x.test/sessions?tz=Europe%2FBerlin'],
  ['https://x.test/sessions', 'full', null],
  ['https://x.test/sessions?tz=Asia/Tokyo', 'Asia/Tokyo', null],
  ['https://x.test/sessions?tz=', 'UTC', null],
])('the script takes a browser in Berlin from %s, shown in %s, to %p', (href, shown, target) => {
  const script = readFileSync(new URL('../../../../templates/pages/zone.js', import.meta.url), 'utf8')
  let went: string | null = null
  const here = { href, replace: (url: URL) => void (went = url.href) }
  const isLacking = ['short', 'full'].includes(shown)
  const classList = { contains: (name: string) => name === shown }
  const options = [...(isLacking ? [] : ['Europe/Berlin']), 'UTC', 'America/New_York'].map((value) => ({
    ...{ value, dataset: {}, selected: value === shown },
  }))
  const world = createContext({
    URL,
    location: here,
    document: { querySelector: () => ({ classList, elements: { tz: { options } } }) },
    Intl: { DateTimeFormat: () => ({ resolvedOptions: () => ({ timeZone: 'Europe/Berlin' }) }) },
  })
  runInContext(script, world)
  expect(went).toBe(target)
})

async function appWithEdition(): Promise<{ app: TestApp; id: string }> {
  const app = await testApp()
  aSession(app, { group: 'Still There', seatsTotal: 8, seatsLeft: 2 })
  aSession(app, { group: 'Filled Up' })
  aSession(app, { group: 'Moved On' })
  aSession(app, { group: 'Rolled On', startsAtLocal: '2026-11-24T19:00' })
  aSession(app, { group: 'Over Now', startsAtLocal: '2026-11-24T10:00', repeats: 'once' })
  aSession(app, { group: 'Taken Away' })
  aSubscriber(app, 'ada@sample.test', { name: 'Ada' })
  return { app, id: await planNow(app) }
}

test('an edition shows what it listed, marks later changes, and shows nothing personal', async () => {
  const { app, id } = await appWithEdition()
  await submitOwed(app)
  app.setNow('2026-11-25T15:00:00Z')
  const change = (group: string, set: string) =>
    app.db.$client.exec(
      `update sessions set ${set} where group_id = (select id from groups where title = '${group}')`,
    )
  change('Filled Up', "status = 'full'")
  change('Moved On', "starts_at_local = '2026-12-02T18:00'")
  change('Rolled On', "starts_at_local = '2026-12-01T19:00'")
  change('Still There', "booking_url = 'https://book.harbor.test/new-place', seats_left = 8")
  app.db.$client.exec(
    "delete from sessions where group_id = (select id from groups where title = 'Taken Away')",
  )

  const { statusCode, body, headers } = await (await buildServer(app)).inject(`/editions/${id}`)
  expect(statusCode).toBe(200)
  expect(headers).not.toHaveProperty('x-robots-tag')
  const page = parse(body)
  expect(texts(page, 'h1')).toEqual(['Group times from November 23, 2026'])
  const marks = page
    .querySelectorAll('article')
    .map((one) => [one.querySelector('h3')?.textContent, one.querySelector('.few')?.textContent ?? 'Reserve'])
  expect(Object.fromEntries(marks)).toEqual({
    'Still There': 'Reserve',
    'Filled Up': 'Full or no longer offered',
    'Moved On': 'This group has a new time',
    'Rolled On': 'Reserve',
    'Over Now': 'Full or no longer offered',
    'Taken Away': 'Full or no longer offered',
  })
  expect(
    page
      .querySelectorAll('article .button')
      .map((link) => link.getAttribute('href'))
      .toSorted(),
  ).toEqual(['/groups/3', 'https://book.harbor.test/new-place', 'https://book.harbor.test/steady-ground'])
  expect(body).not.toMatch(/\bAda\b|ada@|unsubscribe|preferences|\/calendar\//)
})

test('an edition is shown in the requested zone', async () => {
  const { app, id } = await appWithEdition()
  const page = await pageAt(app, `/editions/${id}?tz=Europe/London`)
  expect(texts(page, '.day h2')).toContain('Wednesday, December 2')
  expect(page.querySelectorAll('.when').map((time) => time.childNodes[0]?.textContent)).toContain('12:00 AM')
})

test('editions that no one can have received are not shown', async () => {
  const { app, id } = await appWithEdition()
  const status = async (of: string) => (await (await buildServer(app)).inject(`/editions/${of}`)).statusCode
  expect(await status(id)).toBe(200)
  expect([await status('2026-11-16'), await status('nothing'), await status('2026-11-30')]).toEqual([
    404, 404, 404,
  ])
  app.setNow('2026-11-22T15:00:00Z')
  expect(await status(id)).toBe(404)
  app.setNow('2026-11-23T15:00:00Z')
  app.db.update(editions).set({ state: 'planning', plannedAt: null }).run()
  expect(await status(id)).toBe(404)
  await pauseEdition(app.store, id, 'to look again', app.now())
  expect(await status(id)).toBe(404)
})

test('a cancelled edition is shown only when somebody got it', async () => {
  const { app, id } = await appWithEdition()
  const status = async () => (await (await buildServer(app)).inject(`/editions/${id}`)).statusCode
  await cancelEdition(app.store, id, app.now())
  expect(await status()).toBe(404)
  app.db.$client.exec("update deliveries set state = 'submitted', reason = null")
  recountTally(app)
  expect(await status()).toBe(200)
})

test('characters that turn the text around reach no page, whatever SQL wrote into a topic', async () => {
  const app = await testApp()
  aSession(app)
  aSession(app, { topic: 'ocd', group: 'Other' })
  uncheck(app.db, 'topics')
  app.db.$client.prepare("update topics set name = ? where slug = 'anxiety'").run('Wor\u202ery\u0007 topic')
  const server = await buildServer(app)
  for (const url of ['/', '/sessions', '/sessions?topic=anxiety', '/feed.xml']) {
    const { body } = await server.inject(url)
    expect(body).toContain('topic')
    for (const odd of ['\u202e', '\u0007']) expect(body).not.toContain(odd)
  }
})

async function appInTwoLanguages() {
  const app = await testApp()
  aSession(app, { group: 'Steady Ground' })
  aSession(app, { group: 'Suelo Firme' })
  aSession(app, { group: 'Loose Ends', topic: 'ocd' })
  app.db.$client.exec(`
    update groups set language = 'en';
    update groups set language = 'es' where title = 'Suelo Firme'`)
  return app
}

test.each([
  ['?language=es', ['Suelo Firme']],
  ['?language=es-MX', ['Suelo Firme']],
  ['?language=en', ['Steady Ground', 'Loose Ends']],
  ['?language=en&topic=ocd', ['Loose Ends']],
  ['?language=es&topic=ocd', []],
  ['?language=fr', []],
  ['?language=none', ['Steady Ground', 'Suelo Firme', 'Loose Ends']],
  ['?language=es&language=en', ['Steady Ground', 'Suelo Firme', 'Loose Ends']],
  ['', ['Steady Ground', 'Suelo Firme', 'Loose Ends']],
])('/sessions%s shows groups in that language', async (query, groups) => {
  const page = await pageAt(await appInTwoLanguages(), `/sessions${query}`)
  expect(texts(page, 'h3').toSorted()).toEqual(groups.toSorted())
})

test('the choice of a language goes along to the next page', async () => {
  const app = await testApp()
  for (let n = 0; n < 25; n += 1) aSession(app, { group: `Grupo ${n}` })
  app.db.$client.exec("update groups set language = 'es'")
  const page = await pageAt(app, '/sessions?language=es')
  expect(page.querySelector('a[rel=next]')?.getAttribute('href')).toContain('language=es')
})
