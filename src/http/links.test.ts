import { createHmac } from 'node:crypto'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parse } from 'node-html-parser'
import { aSubscriber, LINK_SECRET, type TestApp, testApp } from '../../test/app.ts'
import { openCalendar } from '../actions/subscribers/calendar.ts'
import { bareToken, type Purpose, readToken, signDatedToken, signToken } from '../core/tokens.ts'
import { buildServer } from './server.ts'

const ADAS_ID = 'AdasPublicId0000000000'
const TOKEN = signToken(LINK_SECRET, 'unsubscribe', ADAS_ID)
const OLD_SECRET = 'a link secret from before, which is long enough'

/** What mail programs and people leave on a link. */
const ADDED: [name: string, before: string, after: string][] = [
  ['a full stop', '', '.'],
  ['a comma', '', ','],
  ['an angle bracket', '', '>'],
  ['a parenthesis', '(', ')'],
  ['a bracket', '[', ']'],
  ['a quote', '"', '"'],
  ['an apostrophe', "'", "'"],
  ['a curly quote', '%E2%80%9C', '%E2%80%9D'],
  ['a semicolon', '', ';'],
  ['a colon', '', ':'],
  ['an exclamation mark', '', '!'],
  ['a slash', '', '/'],
  ['two slashes', '/', '//'],
  ['a slash and a bracket', '', '/)'],
  ['an encoded slash', '', '%2F'],
  ['a backslash', '', '%5C'],
  ['an encoded bracket', '', '%3E'],
  ['an entity', '', '%26gt;'],
  ['a blank', '%20', '%20'],
  ['a blank encoded twice', '', '%2520'],
  ['a no-break space', '', '%C2%A0'],
  ['a zero-width space', '%E2%80%8B', '%E2%80%8B'],
  ['a zero-width no-break space', '%EF%BB%BF', '%EF%BB%BF'],
  ['a word joiner and a full stop', '', '%E2%81%A0.'],
  ['a mark of direction', '', '%E2%80%8E'],
  ['a broken escape', '', '%'],
  ['half an escape', '', '%E2%80'],
  ['a line break', '', '%0D%0A'],
  ['emphasis', '', '**'],
  ['a dash', '', '-'],
  ['an underscore', '', '_'],
  ['a query of a tracker', '', '?utm_source=x'],
]

test.each(ADDED)('%s around an unsubscribing link is not part of it', async (_name, before, after) => {
  const { app, ask } = await withAda()
  const url = `/unsubscribe/${before}${TOKEN}${after}`
  expect(await ask('GET', url)).toEqual([200, 'Unsubscribe'])
  expect(status(app)).toBe('active')
  expect(await ask('POST', url)).toEqual([200, 'You’re unsubscribed'])
  expect(status(app)).toBe('unsubscribed')
})

test('a blank or an invisible character inside a link, where a line was broken, is not part of it', async () => {
  const { app, ask } = await withAda()
  const broken = (by: string) => `/unsubscribe/${TOKEN.slice(0, 30)}${by}${TOKEN.slice(30)}`
  for (const by of ['%20', '%0A', '%E2%80%8B', '%C2%AD'])
    expect(await ask('GET', broken(by))).toEqual([200, 'Unsubscribe'])
  expect(await ask('POST', broken('%0D%0A%20'))).toEqual([200, 'You’re unsubscribed'])
  expect(status(app)).toBe('unsubscribed')
})

const WHOLE_PAGES: [string, string, string][] = [
  ['preferences', 'Your preferences', signToken(LINK_SECRET, 'preferences', ADAS_ID)],
  ['confirm', 'Confirm your subscription', ''],
  ['change-address', 'Use this address', ''],
  ['undo-address', 'Undo the address change', ''],
  ['fresh', 'Delete my data', ''],
  ['not-me', 'Don’t email me again', signToken(LINK_SECRET, 'not-me', 'a-keyed-hash_of-43-characters')],
]

test.each(WHOLE_PAGES)('the same holds for the link to %s', async (purpose, title, token) => {
  const { app, ask } = await withAda()
  const link = token || signDatedToken(LINK_SECRET, purpose as Purpose, ADAS_ID, app.now())
  for (const [, before, after] of ADDED) {
    const [code, heading] = await ask('GET', `/${purpose}/${before}${link}${after}`)
    expect([code, heading]).toEqual([200, title])
  }
})

test('and for the address of a calendar, whose end may be lost too', async () => {
  const { app, server } = await withAda()
  const opened = await openCalendar(app, ADAS_ID)
  const { pathname } = new URL(opened.kind === 'open' ? opened.url : '')
  for (const after of ['', ')', '.', '/', '%20', '%E2%80%8B', '%3E', ')/'])
    expect((await server.inject(`${pathname}${after}`)).headers['content-type']).toContain('text/calendar')
  for (const lost of ['s', 'ics', '.ics'])
    expect((await server.inject(pathname.slice(0, -lost.length))).statusCode).toBe(200)
  const damaged = await server.inject(pathname.replace('.ics', 'x.ics'))
  expect(damaged.statusCode).toBe(410)
  expect(damaged.body).toContain('may be incomplete')
})

const PURPOSES = [
  'unsubscribe',
  'preferences',
  'confirm',
  'change-address',
  'undo-address',
  'fresh',
  'not-me',
]

const DAMAGED: [name: string, damage: (token: string) => string][] = [
  ['lost its last letter', (token) => token.slice(0, -1)],
  ['lost its first letter', (token) => token.slice(1)],
  ['lost its second half', (token) => token.slice(0, 22)],
  ['is all upper case', (token) => token.toUpperCase()],
  ['is all lower case', (token) => token.toLowerCase()],
  ['is half upper case', (token) => token.slice(0, 22) + token.slice(22).toUpperCase()],
  ['has a letter behind it', (token) => `${token}s`],
  ['is there twice', (token) => token + token],
  ['is empty', () => ''],
  ['is a bracket', () => ')'],
  ['is a broken escape', () => '%zz'],
  ['is a tag', () => '%3Cscript%3E'],
  ['is very long', () => 'long'.repeat(2_000)],
  ['was signed by a secret that is gone', () => signToken(OLD_SECRET, 'unsubscribe', ADAS_ID)],
  ['was signed for preferences', () => signToken(LINK_SECRET, 'preferences', ADAS_ID)],
  ['was forged', () => `${ADAS_ID}.${'x'.repeat(24)}`],
  ['stands in Markdown', (token) => `${token}x](https://groups.harbor.test/unsubscribe/${token})`],
]

test.each(DAMAGED)(
  'a link that %s changes nothing, and says so and how to leave; the same whoever it names',
  async (_name, damage) => {
    const { app, server, ask } = await withAda()
    const nobody = signToken(LINK_SECRET, 'unsubscribe', 'NobodysPublicId0000000')
    for (const purpose of PURPOSES)
      for (const method of ['GET', 'POST'] as const) {
        const url = `/${purpose}/${damage(TOKEN)}`
        if (readToken([LINK_SECRET], purpose as Purpose, damage(TOKEN)) !== null) continue
        expect(await ask(method, url)).toEqual([404, 'This link doesn’t work'])
        const { body } = await server.inject({ method, url, payload: 'List-Unsubscribe=One-Click' })
        expect(body).toContain('Nothing was changed')
        expect(body).toContain('mailto:hello@harbor.test')
        expect((await server.inject({ method, url: `/${purpose}/${damage(nobody)}` })).body).toBe(body)
      }
    for (const more of ['undo', 'pause', 'monthly'])
      expect(await ask('POST', `/unsubscribe/${damage(TOKEN)}/${more}`)).toEqual([
        404,
        'This link doesn’t work',
      ])
    expect(status(app)).toBe('active')
    expect(app.logged()).not.toContain(TOKEN)
  },
)

test('a damaged link never claims that a subscriber is unsubscribed', async () => {
  const { app, server } = await withAda()
  const character = fc.constantFrom(...'abzAZ09-_.~/)>%?#& '.split(''), '%20', '%2F', '\u200b', '\u00a0', 'é')
  const damage = fc.record({
    at: fc.nat(TOKEN.length),
    drop: fc.nat(3),
    put: fc.array(character, { maxLength: 3 }).map((put) => put.join('')),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { maxLength: 3 }), fc.boolean(), async (damages, upper) => {
      app.db.$client.exec("update subscribers set status = 'active', unsubscribed_at = null")
      const link = damages.reduce(
        (text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop),
        TOKEN,
      )
      const path = encodeURI(upper ? link.toUpperCase() : link).replace(/%25/g, '%')
      const answer = await server.inject({ method: 'POST', url: `/unsubscribe/${path}` })
      const left = answer.body.includes('You’re unsubscribed')
      expect(left).toBe(status(app) === 'unsubscribed')
      expect(answer.statusCode).toBe(left ? 200 : 404)
    }),
    { numRuns: 300 },
  )
})

test('a token ends in a letter or digit, and one that ended in a dash before is read, also without it', () => {
  const ids = Array.from({ length: 300 }, (_, n) => `public-id-${n}`)
  const ends = ids.map((id) => signToken(LINK_SECRET, 'unsubscribe', id)).map((token) => token.at(-1) ?? '')
  expect(ends.join('')).toMatch(/^[A-Za-z0-9]+$/)
  const asBefore = (id: string) =>
    `${id}.${createHmac('sha256', LINK_SECRET).update(`unsubscribe:${id}`).digest('base64url').slice(0, 24)}`
  const id = ids.find((one) => asBefore(one).endsWith('_')) ?? ''
  expect(readToken([LINK_SECRET], 'unsubscribe', asBefore(id))).toBe(id)
  expect(readToken([LINK_SECRET], 'unsubscribe', asBefore(id).slice(0, -1))).toBe(id)
})

test('a token is found in any text at once, however long it is', () => {
  const from = performance.now()
  for (const text of ['-', '_~', '%25', '%', 'a-', '.~', '%e2%80']) bareToken(text.repeat(100_000))
  expect(performance.now() - from).toBeLessThan(1_000)
})

async function withAda() {
  const app = await testApp()
  aSubscriber(app, 'ada@sample.test', { publicId: ADAS_ID })
  app.db.$client.exec(
    `insert into address_changes (public_id, subscriber_id, email, email_hash, created_at)
     select public_id, id, 'ada@new.test', 'x', 0 from subscribers`,
  )
  app.db.$client.exec(
    `insert into notices (key, kind, subscriber_id, state, created_at)
     select 'openseat/notice/' || public_id, 'fresh-forget', id, 'submitted', 0 from subscribers`,
  )
  const server = await buildServer(app)
  const ask = async (method: 'GET' | 'POST', url: string): Promise<[number, string | undefined]> => {
    const { statusCode, body } = await server.inject({ method, url })
    return [statusCode, parse(body).querySelector('h1')?.textContent]
  }
  return { app, server, ask }
}

const status = (app: TestApp) =>
  app.db.$client.prepare('select status from subscribers where public_id = ?').pluck().get(ADAS_ID)
