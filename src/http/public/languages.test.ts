import { expect, test } from '@jest/globals'
import { IntlMessageFormat } from 'intl-messageformat'
import { type HTMLElement, NodeType, parse } from 'node-html-parser'
import { aSession, aSubscriber, LINK_SECRET, planNow, type TestApp, testApp } from '../../../test/app.ts'
import { openCalendar } from '../../actions/subscribers/calendar.ts'
import { hashEmail, signDatedToken, signToken } from '../../core/tokens.ts'
import { suppressions } from '../../db/schema/people.ts'
import { allTopics } from '../../db/sessions/sessions.ts'
import { buildServer } from '../server.ts'
import { stampFor } from './join/form.ts'

const FORM = 'application/x-www-form-urlencoded'

test('every page says in Spanish what it says in English, and nothing of it in English', async () => {
  const app = await aPractice()
  const english = await everyPage(app, 'en')
  const spanish = await everyPage(await aPractice(), 'es')
  const data = new Set([...DATA, ...(await allTopics(app.store)).map(({ name }) => name)])
  const sentences = piecesOf(app.templates.words.en, app.templates.words.es ?? app.templates.words.en)
  expect(sentences.length).toBeGreaterThan(150)
  const left = [...spanish].flatMap(([name, page]) => {
    const ours = wordsOn(page)
    const theirs = new Set(wordsOn(english.get(name) ?? page))
    const same = ours.filter((text) => theirs.has(text) && !data.has(text))
    const known = sentences.filter((sentence) => ours.some((text) => text.includes(sentence)))
    return [...new Set([...same, ...known])].map((text) => `${name}: ${text}`)
  })
  expect(left).toEqual([])
  for (const [name, page] of spanish)
    expect([name, page.querySelector('html')?.getAttribute('lang')]).toEqual([name, 'es'])
})

test.each([
  { accepts: 'es-MX,es;q=0.9,en;q=0.5', path: '/sessions', lang: 'es', says: 'Todos los horarios' },
  { accepts: 'de,*', path: '/sessions', lang: 'en', says: 'All group times with open spots' },
  { accepts: 'es', path: '/sessions?lang=en', lang: 'en', says: 'All group times with open spots' },
  { accepts: 'en', path: '/sessions?lang=es', lang: 'es', says: 'Todos los horarios' },
  { accepts: 'en', path: '/sessions?lang=tlh', lang: 'en', says: 'All group times with open spots' },
  { accepts: 'es', path: '/nowhere', lang: 'es', says: 'No encontramos esta página' },
])('$path for a browser that prefers $accepts is in $lang', async ({ accepts, path, lang, says }) => {
  const server = await buildServer(await aPractice())
  const { body, headers } = await server.inject({ url: path, headers: { 'accept-language': accepts } })
  expect(headers).toMatchObject({ 'content-language': lang, vary: expect.stringMatching(/accept-language/i) })
  expect(body).toContain(says)
})

test('LOCALE is for those who name no language, and for the feed', async () => {
  const server = await buildServer(await aPractice({ LOCALE: 'es-MX' }))
  expect((await server.inject('/')).headers).toMatchObject({ 'content-language': 'es' })
  const feed = (await server.inject({ url: '/feed.xml', headers: { 'accept-language': 'en' } })).body
  expect(feed).toContain('xml:lang="es"')
  expect(feed).toContain('Nuevo: Steady Ground')
  expect(feed).toContain('Grupo · 90 minutos · Terapeuta: Dr. Mira Lee.')
})

test('a language chosen by hand stays from page to page and form to form', async () => {
  const app = await aPractice()
  const server = await buildServer(app)
  for (const url of ['/?lang=es', '/sessions?lang=es', PREFERENCES('?lang=es'), UNSUBSCRIBE('?lang=es')]) {
    const page = parse((await server.inject(url)).body)
    const links = page
      .querySelectorAll('header a:not([hreflang]), main a')
      .map((link) => link.getAttribute('href') ?? '')
    const forms = page.querySelectorAll('form').map((form) => form.getAttribute('action') ?? url)
    const lost = [...links, ...forms].filter(
      (to) => to.startsWith('/') && !to.includes('lang=es') && !/feed\.xml|data\.json/.test(to),
    )
    const filter = page.querySelector('input[name=lang]')?.getAttribute('value')
    expect([url, lost]).toEqual([url, filter === 'es' ? ['/sessions'] : []])
  }
  const paused = await server.inject({
    ...{ method: 'POST', url: PREFERENCES('/pause?lang=es'), headers: { 'content-type': FORM } },
    payload: 'weeks=2',
  })
  expect(paused.headers.location).toBe(PREFERENCES('?saved=pause&lang=es#pause'))
})

test('the pages behind a link speak the reader’s language, whatever their browser prefers', async () => {
  const app = await aPractice({}, 'es-MX')
  const server = await buildServer(app)
  const ask = async (url: string) =>
    (await server.inject({ url, headers: { 'accept-language': 'en' } })).headers['content-language']
  for (const url of [PREFERENCES(), UNSUBSCRIBE(), CONFIRM(app)])
    expect([url, await ask(url)]).toEqual([url, 'es'])
  expect(await ask(PREFERENCES('?lang=en'))).toBe('en')
  expect(await ask(`/preferences/${ID}.forged`)).toBe('en')
})

test('who keeps Spanish keeps their region; who chooses another language gets it, also on the page', async () => {
  const app = await aPractice({}, 'es-MX')
  const server = await buildServer(app)
  const locale = () =>
    app.db.$client.prepare('select locale from subscribers where public_id = ?').pluck().get(ID)
  const save = async (language: string, query = '') => {
    const form = new URLSearchParams({ name: '', tz: 'America/New_York', cadence: 'weekly', language })
    const answer = await server.inject({
      ...{ method: 'POST', url: PREFERENCES(query), headers: { 'content-type': FORM } },
      payload: form.toString(),
    })
    return parse((await server.inject(String(answer.headers.location))).body)
  }
  const kept = await save('es')
  expect(locale()).toBe('es-MX')
  expect(kept.querySelector('#language option[selected]')?.textContent).toBe('Español')
  const changed = await save('en', '?lang=es')
  expect(locale()).toBe('en')
  expect(changed.querySelector('[role=status]')?.textContent).toBe(
    'Saved. Your changes apply starting with the next email.',
  )
  await save('es')
  expect(locale()).toBe('es')
})

const ID = 'AdasPublicId0000000000'
const GONE = 'BosPublicId00000000000'
const BOUNCED = 'CasPublicId00000000000'
const linkTo = (purpose: 'preferences' | 'unsubscribe', id: string, more = '') =>
  `/${purpose}/${signToken(LINK_SECRET, purpose, id)}${more}`
const PREFERENCES = (more = '', id = ID) => linkTo('preferences', id, more)
const UNSUBSCRIBE = (more = '', id = ID) => linkTo('unsubscribe', id, more)
const CONFIRM = (app: TestApp, id = ID) => `/confirm/${signDatedToken(LINK_SECRET, 'confirm', id, app.now())}`

/** Of the practice and the reader, not of the page: the same in every language. */
const DATA = [
  ...[
    'Harbor Groups',
    'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    'hello@harbor.test',
    'Arizona (Phoenix)',
  ],
  ...[
    'Steady Ground',
    'Loose Ends',
    'Dr. Mira Lee',
    'English',
    'Español',
    'Alaska (Anchorage)',
    'Asia',
    'Australia',
    '<!doctype html>',
  ],
]

/** Ada, who reads in `locale`; Bo, who left; Cas, whose address bounced; two groups, and an edition that told of them. */
async function aPractice(settings: Record<string, string> = {}, locale = 'en'): Promise<TestApp> {
  const app = await testApp({ settings })
  aSession(app, { seatsTotal: 8, seatsLeft: 2 })
  aSession(app, { topic: 'ocd', group: 'Loose Ends', startsAtLocal: '2026-12-02T18:00', repeats: 'once' })
  aSubscriber(app, 'ada@sample.test', { publicId: ID, locale })
  aSubscriber(app, 'bo@sample.test', { publicId: GONE, status: 'unsubscribed' })
  aSubscriber(app, 'cas@sample.test', { publicId: BOUNCED })
  const emailHash = hashEmail(app.hashKey, 'cas@sample.test')
  app.db.insert(suppressions).values({ emailHash, reason: 'bounce', createdAt: 0 }).run()
  return app
}

type Step = [name: string, url: string, form?: Record<string, string>]

/** One of each page and of each state it can be in, by name. */
async function everyPage(app: TestApp, lang: string): Promise<Map<string, HTMLElement>> {
  const server = await buildServer(app)
  await openCalendar(app, ID)
  const edition = await planNow(app)
  const pages = new Map<string, HTMLElement>()
  for (const [name, url, form] of steps(app, edition)) {
    const inLanguage = `${url}${url.includes('?') ? '&' : '?'}lang=${lang}`
    const post = { method: 'POST' as const, headers: { 'content-type': FORM } }
    const answer = await server.inject(
      form ? { ...post, url: inLanguage, payload: new URLSearchParams(form).toString() } : inLanguage,
    )
    const next = answer.headers.location
    pages.set(name, parse((next ? await server.inject(String(next)) : answer).body))
  }
  return pages
}

function steps(app: TestApp, edition: string): Step[] {
  const stamp = (age: number) => stampFor([LINK_SECRET], new Date(app.now().getTime() - age))
  const typed = { email: 'x@@y', name: 'see www.pills.test', tz: 'Mars/Olympus', topics: 'astrology' }
  const change = `/change-address/${signDatedToken(LINK_SECRET, 'change-address', 'SomeChange', app.now())}`
  return [
    ['first page', '/'],
    ['form with mistakes', '/subscribe', { ...typed, stamp: stamp(20_000) }],
    ['form without an address', '/subscribe', { tz: 'UTC', name: 'x'.repeat(99), stamp: stamp(20_000) }],
    ['form of yesterday', '/subscribe', { stamp: stamp(90_000_000) }],
    ['signed up', '/subscribe', {}],
    ['confirm', CONFIRM(app)],
    ['expired', `/confirm/${signDatedToken(LINK_SECRET, 'confirm', ID, new Date(0))}`],
    ['damaged', '/unsubscribe/x'],
    ['confirmed', CONFIRM(app), {}],
    ['times', '/sessions'],
    ['times of a topic without any', '/sessions?topic=depression'],
    ['edition', `/editions/${edition}`],
    ['nowhere', '/nowhere'],
    ['calendar that ended', '/calendar/AAAAAAAAAAAAAAAAAAAAAA.ics'],
    ['address asked', PREFERENCES('/address'), { email: 'ada@elsewhere.test' }],
    ['address wrong', PREFERENCES('/address'), { email: 'ada@sample.test' }],
    ['paused', PREFERENCES('/pause'), { weeks: '2' }],
    ['pause wrong', PREFERENCES('/pause'), { until: '2020-01-01' }],
    ['resumed', PREFERENCES('/pause/end'), {}],
    ['calendar replaced', PREFERENCES('/calendar/replace'), {}],
    ['calendar removed', PREFERENCES('/calendar/remove'), {}],
    ['preferences', PREFERENCES()],
    ['preferences wrong', PREFERENCES(), { language: 'tlh', topics: 'astrology' }],
    ['preferences of who left', PREFERENCES('', GONE)],
    ['preferences of who bounced', PREFERENCES('', BOUNCED)],
    ['no preferences', '/preferences/x'],
    ['change of address', change],
    ['change of address, too late', change, {}],
    ['unsubscribe', UNSUBSCRIBE()],
    ['less', UNSUBSCRIBE('/pause'), {}],
    ['less often', UNSUBSCRIBE('/monthly'), {}],
    ['no less', UNSUBSCRIBE('/monthly', GONE), {}],
    ['unsubscribed', UNSUBSCRIBE(), {}],
    ['subscribed again', UNSUBSCRIBE('/undo'), {}],
    ['not subscribed again', UNSUBSCRIBE('/undo', 'Nobody'), {}],
    ['forget me', PREFERENCES('/forget')],
    ['forgotten', PREFERENCES('/forget'), {}],
  ]
}

/** All that a reader may see or hear, without the names of places in the list of zones. */
function wordsOn(page: HTMLElement): string[] {
  const places = 'optgroup:not(:first-child) option, optgroup option:nth-child(n + 8)'
  for (const option of page.querySelectorAll(places)) option.remove()
  const spoken = page
    .querySelectorAll('[aria-label], [title], [label], [alt], [placeholder]')
    .flatMap(({ attributes: { 'aria-label': heard, title, label, alt, placeholder } }) => [
      ...[heard, title, label, alt, placeholder],
    ])
  return [...textsIn(page), ...spoken.filter((text) => text !== undefined)].filter((text) =>
    /\p{L}/u.test(text),
  )
}

function textsIn(node: HTMLElement): string[] {
  return node.childNodes.flatMap((child) =>
    child.nodeType === NodeType.TEXT_NODE
      ? [child.text.replace(/\s+/g, ' ').replace(/^ ?· /, '').trim()]
      : textsIn(child as HTMLElement),
  )
}

/** What English messages say between what is filled in, as far as it is long enough to know it by and not Spanish too. */
function piecesOf(english: Record<string, string>, spanish: Record<string, string>): string[] {
  type Element = {
    type: number
    value: string
    children?: Element[]
    options?: Record<string, { value: Element[] }>
  }
  const literals = (elements: Element[]): string[] =>
    elements.flatMap(({ type, value, children = [], options = {} }) => [
      ...(type === 0 ? [value.trim()] : []),
      ...literals(children),
      ...Object.values(options).flatMap((option) => literals(option.value)),
    ])
  const other = Object.values(spanish).join('\n')
  return Object.values(english)
    .flatMap((text) => literals(new IntlMessageFormat(text, 'en').getAst() as Element[]))
    .filter((text) => text.length >= 12 && !other.includes(text))
}
