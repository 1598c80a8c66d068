import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { aSession, testApp } from '../testing.ts'
import { buildServer } from './server.ts'

test('the sessions page lists what can be reserved, by topic and soonest first', async () => {
  const app = await testApp()
  aSession(app, { group: 'Second Breath', startsAtLocal: '2026-12-03T18:00' })
  aSession(app, { group: 'First Light', startsAtLocal: '2026-12-01T19:00', seatsLeft: 2, seatsTotal: 8 })
  aSession(app, { topic: 'ocd', group: 'Loose Ends', bookingUrl: 'https://book.harbor.test/loose-ends' })
  aSession(app, { group: 'Full House', status: 'full' })
  aSession(app, { group: 'Long Gone', startsAtLocal: '2026-11-01T19:00', repeats: 'once' })
  const page = parse((await (await buildServer(app)).inject('/sessions')).body)
  const list = page
    .querySelectorAll('section')
    .map((section) => [
      section.querySelector('h2')?.textContent,
      ...section.querySelectorAll('h3').map((group) => group.textContent),
    ])
  expect(list).toEqual([
    ['Anxiety', 'First Light', 'Second Breath'],
    ['OCD', 'Loose Ends'],
  ])
  expect(page.querySelector('.when')?.textContent).toBe('Tue, Dec 1 · 7:00 PM EST, weekly')
  expect(page.querySelector('.few')?.textContent).toBe('2 places left')
  expect(page.querySelectorAll('article a').at(-1)?.getAttribute('href')).toBe(
    'https://book.harbor.test/loose-ends',
  )
})

test.each([
  ['?tz=Europe/London', 'Europe/London', 'Wed, Dec 2 · 12:00 AM GMT, weekly'],
  ['?tz=America/Los_Angeles', 'America/Los_Angeles', 'Tue, Dec 1 · 4:00 PM PST, weekly'],
  ['?tz=Nowhere/Land', 'America/New_York', 'Tue, Dec 1 · 7:00 PM EST, weekly'],
  ['?tz=UTC&tz=UTC', 'America/New_York', 'Tue, Dec 1 · 7:00 PM EST, weekly'],
  ['?tz=%zz', 'America/New_York', 'Tue, Dec 1 · 7:00 PM EST, weekly'],
])('/sessions%s shows times in %s', async (query, zone, when) => {
  const app = await testApp()
  aSession(app)
  const page = parse((await (await buildServer(app)).inject(`/sessions${query}`)).body)
  expect(page.querySelector('option[selected]')?.getAttribute('value')).toBe(zone)
  expect(page.querySelector('.when')?.textContent).toBe(when)
})

test('words and links from a booking system are shown as text, and never run', async () => {
  const app = await testApp()
  aSession(app, { group: '<script>alert(1)</script>', bookingUrl: 'javascript:alert(1)' })
  const { body } = await (await buildServer(app)).inject('/sessions')
  expect(body).not.toMatch(/<script|javascript:/)
})

test('with nothing to reserve the page says so, and the first page leads there', async () => {
  const server = await buildServer(await testApp())
  expect((await server.inject('/sessions')).body).toContain('No time has a place free right now')
  expect(
    parse((await server.inject('/')).body)
      .querySelector('main a')
      ?.getAttribute('href'),
  ).toBe('/sessions')
})
