import { createRequire } from 'node:module'
import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, type TestApp, testApp } from '../../../../test/app.ts'
import { buildServer } from '../../server.ts'

type Element = { name: string; attributes: Record<string, string>; children: Element[]; text: string }

// It has no types of its own.
const sax = createRequire(import.meta.url)('sax') as { parser(strict: boolean): XmlParser }
type XmlParser = { write(text: string): XmlParser; close(): void }

/** The document as a strict XML parser reads it; throws where it is not well-formed. */
function readXml(text: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const handlers = {
    onerror(error: Error) {
      throw error
    },
    onopentag({ name, attributes }: Pick<Element, 'name' | 'attributes'>) {
      const element = { name, attributes, children: [], text: '' }
      open.at(-1)?.children.push(element)
      open.push(element)
    },
    ontext(part: string) {
      const element = open.at(-1)
      if (element) element.text += part
    },
    onclosetag() {
      open.pop()
    },
  }
  Object.assign(sax.parser(true), handlers).write(text).close()
  return root.children[0] ?? root
}

async function feedOf(app: TestApp): Promise<Element> {
  return readXml((await (await buildServer(app)).inject('/feed.xml')).body)
}
const all = (element: Element | undefined, name: string) =>
  element?.children.filter((child) => child.name === name) ?? []
const textOf = (element: Element | undefined, name: string) => all(element, name).map(({ text }) => text)

/** Triggers date news with the clock of the database; a test needs to know it. */
const dateNews = (app: TestApp, id: number, iso: string) =>
  app.db.$client.prepare('update sessions set news_at = ? where id = ?').run(Date.parse(iso), id)

test('the feed has all that Atom requires, and the latest news first', async () => {
  const app = await testApp()
  const first = aSession(app, { group: 'First Light' })
  const second = aSession(app, { topic: 'ocd', group: 'Loose Ends', timeZone: 'America/Los_Angeles' })
  dateNews(app, first, '2026-11-22T10:00:00Z')
  dateNews(app, second, '2026-11-20T10:00:00Z')
  const { headers } = await (await buildServer(app)).inject('/feed.xml')
  expect(headers['content-type']).toBe('application/atom+xml; charset=utf-8')
  const feed = await feedOf(app)
  expect([feed.name, feed.attributes.xmlns]).toEqual(['feed', 'http://www.w3.org/2005/Atom'])
  expect(textOf(feed, 'id')).toEqual(['tag:groups.harbor.test,2026:sessions'])
  expect(textOf(feed, 'title')).toEqual(['Harbor Groups: group times'])
  expect(textOf(feed, 'updated')).toEqual(['2026-11-22T10:00:00.000Z'])
  expect(textOf(all(feed, 'author')[0], 'name')).toEqual(['Harbor Groups'])
  expect(all(feed, 'link').map(({ attributes }) => [attributes.rel, attributes.href])).toEqual([
    ['self', 'https://groups.harbor.test/feed.xml'],
    ['alternate', 'https://groups.harbor.test/sessions'],
  ])
  const entries = all(feed, 'entry')
  expect(entries.map((entry) => textOf(entry, 'title')[0])).toEqual(['New: First Light', 'New: Loose Ends'])
  const [entry] = entries
  expect(textOf(entry, 'id')).toEqual([`tag:groups.harbor.test,2026:session-${first}`])
  expect(textOf(entry, 'updated')).toEqual(['2026-11-22T10:00:00.000Z'])
  expect(all(entry, 'link').map(({ attributes }) => attributes.href)).toEqual([
    `https://groups.harbor.test/sessions?topic=anxiety#session-${first}`,
  ])
  expect(textOf(entry, 'content')).toEqual([
    'Tue, Dec 1 · 7:00 PM EST, weekly. Group · 90 minutes · Dr. Mira Lee.',
  ])
})

test('an entry keeps its id when the session moves, and goes when it cannot be booked', async () => {
  const app = await testApp()
  const id = aSession(app)
  const before = all(await feedOf(app), 'entry')[0]
  app.db.$client.exec("update sessions set starts_at_local = '2026-12-03T18:00'")
  const after = all(await feedOf(app), 'entry')[0]
  expect(textOf(after, 'id')).toEqual(textOf(before, 'id'))
  expect(textOf(after, 'title')).toEqual(['Time changed: Steady Ground'])
  app.db.$client.exec(`update sessions set seats_left = 0 where id = ${id}`)
  expect(all(await feedOf(app), 'entry')).toEqual([])
})

test('hostile words stay text', async () => {
  const app = await testApp({ settings: { MAIL_FROM: 'A & B <groups@mail.harbor.test>' } })
  aSession(app, { group: '</title><script>&amp; "\' \ufffe\uffff ]]>', therapist: '<b>& \ud83d' })
  const feed = await feedOf(app)
  expect(textOf(all(feed, 'author')[0], 'name')[0]).toBe('A & B')
  const [entry] = all(feed, 'entry')
  expect(textOf(entry, 'title')).toEqual(['New: </title><script>&amp; "\'  ]]>'])
  expect(textOf(entry, 'content')[0]).toContain('Group · 90 minutes · <b>& \ufffd.')
})

test('a feed without entries is still one, with at most fifty otherwise, and nothing personal', async () => {
  const app = await testApp()
  expect(textOf(await feedOf(app), 'updated')).toEqual(['1970-01-01T00:00:00.000Z'])
  for (let n = 0; n < 60; n += 1) aSession(app)
  aSubscriber(app, 'ada@sample.test', { name: 'Ada Sample' })
  expect(all(await feedOf(app), 'entry')).toHaveLength(50)
  expect((await (await buildServer(app)).inject('/feed.xml')).body).not.toMatch(/ada@|Ada Sample/)
})

test('a reader that already has the feed gets a short 304 until it changes', async () => {
  const app = await testApp()
  aSession(app)
  const server = await buildServer(app)
  const etag = String((await server.inject('/feed.xml')).headers.etag)
  const ask = async (tag: string, method: 'GET' | 'HEAD' = 'GET') => {
    const { statusCode, body } = await server.inject({
      method,
      url: '/feed.xml',
      headers: { 'if-none-match': tag },
    })
    return [statusCode, body.length > 0]
  }
  expect(await ask(etag)).toEqual([304, false])
  expect(await ask(`"other", W/${etag}`)).toEqual([304, false])
  expect(await ask(etag, 'HEAD')).toEqual([304, false])
  expect(await ask('"other"', 'HEAD')).toEqual([200, false])
  aSession(app, { group: 'First Light' })
  expect(await ask(etag)).toEqual([200, true])
})
