import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from '@jest/globals'
import { type HTMLElement, parse } from 'node-html-parser'
import { compileInTest } from '../../../test/mjml.ts'
import { loadTemplates } from '../../templates/load.ts'
import type { News } from '../sessions/offers.ts'
import {
  ada,
  allOffers,
  edition,
  harbor,
  links,
  mailTo,
  quietMornings,
  steadyGround,
  strongFeelings,
} from './digest.fixture.ts'
import { type DigestTemplate, digestComposer } from './digest.ts'
import { type Reader } from './letterhead.ts'

let template: DigestTemplate
beforeAll(async () => {
  template = { ...(await loadTemplates({ compile: compileInTest })).digest, letterhead: harbor }
})

const shownAs = (...news: News[]): Reader['shown'] => news.map((one, index) => ({ id: index + 1, news: one }))
const textsOf = (root: HTMLElement, selector: string) =>
  root.querySelectorAll(selector).map((e) => e.text.trim())
const hrefsOf = (root: HTMLElement) => root.querySelectorAll('a').map((a) => a.getAttribute('href') ?? '')
const visibleText = (html: string) => parse(html).querySelector('body')?.text.replace(/\s+/g, ' ') ?? ''
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('sessions are listed by day, soonest first, with the time before the name', () => {
  const page = parse(mailTo(template, ada).html)
  expect(textsOf(page, 'h1, h2, h3').map((text) => text.replace(/\s+/g, ' '))).toEqual([
    '3 group times for you',
    'Tuesday, December 1',
    '5:00 PM Skills for Strong Feelings',
    '7:00 PM Steady Ground',
    'Thursday, December 3',
    '10:30 AM Quiet Mornings',
  ])
})

test('each session says its topic, how often, how long, with whom, and how many spots are left when few are', () => {
  const page = parse(mailTo(template, ada).html)
  expect(
    page.querySelectorAll('td.row').map((cell) => cell.querySelectorAll('div').map((one) => one.innerHTML)),
  ).toEqual([
    ['<bdi>Anxiety</bdi>'],
    ['One time only · 75 min · <bdi>Noor Haddad</bdi>'],
    ['<bdi>Depression</bdi>'],
    ['Weekly · 75 min · <bdi>Dr. Maya Lee</bdi>'],
    ['<bdi>Anxiety</bdi>'],
    ['Weekly until February 4 · 75 min · <bdi>Tom Okafor, LCSW</bdi> · <b>2 spots left</b>'],
  ])
})

test('no row names a zone: the opening does, and the group’s own clock is there only where its day is another', () => {
  const far = { ...ada, timeZone: 'Australia/Sydney', locale: 'en-AU', shown: shownAs('new') }
  const { text } = mailTo(template, far)
  expect(text).toContain('Wednesday 2 December')
  expect(text).toContain('11:00 am  Steady Ground\n')
  expect(text).toContain('  (Tue, 1 Dec, 7:00 pm where the group is based)\n')
  expect(text).toContain('The time is Sydney Time.')
  expect(text).not.toContain('AEDT')
  const near = mailTo(template, { ...ada, timeZone: 'America/Los_Angeles' }).text
  expect(near).not.toMatch(/where the group|PST|EST/)
})

test('readers who chose a few topics get them by topic where that is shorter', () => {
  const headings = (reader: Partial<Reader>) =>
    textsOf(parse(mailTo(template, { ...ada, ...reader }).html), 'h2')
  const days = ['Tuesday, December 1', 'Thursday, December 3']
  const [byTopic, spanish] = [{ covered: [1, 2] }, { covered: [1, 2, 3], locale: 'es' }]
  expect(headings(byTopic)).toEqual(['Anxiety', 'Depression'])
  expect(headings(spanish)).toEqual(['Ansiedad', 'Depresión'])
  expect(headings({ covered: null })).toEqual(days)
  expect(headings({ covered: [1, 2, 3, 4] })).toEqual(days)
  expect(headings({ covered: [1, 2], shown: shownAs('new').concat({ id: 3, news: 'new' }) })).toEqual([
    'Tuesday, December 1',
  ])
  const { html, text } = mailTo(template, { ...ada, ...byTopic })
  expect(text).toContain('Thu, Dec 3, 10:30 AM  Quiet Mornings\n  Weekly until')
  expect(
    parse(html)
      .querySelectorAll('td.row bdi')
      .map((one) => one.text),
  ).not.toContain('Anxiety')
})

test('a Spanish reader gets the topics’ names in Spanish, where they have one', () => {
  expect(mailTo(template, { ...ada, locale: 'es' }).text).toContain('Steady Ground\n  Depresión\n')
})

const told = { ...steadyGround, summary: 'A weekly group for low days.', place: 'Online', price: '$40' }

test('a group that is new to the reader is described once, in a sentence', () => {
  const offers = [told, { ...told, id: 2, startsAt: '2026-12-01T15:00:00Z' }, { ...told, id: 3, groupId: 9 }]
  const textOf = (...news: News[]) => mailTo(template, { ...ada, shown: shownAs(...news) }, offers).text
  const times = (text: string) => text.split('A weekly group for low days.').length - 1
  expect(times(textOf('new', 'new'))).toBe(1)
  expect(textOf('new', 'new').indexOf('A weekly')).toBeLessThan(textOf('new', 'new').indexOf('7:00 PM'))
  expect(times(textOf('new', 'new', 'new'))).toBe(2)
  expect(times(textOf('moved', 'reopened'))).toBe(0)
})

test.each([
  ['en', null, 'Depression\n  Weekly · 75 min · Dr. Maya Lee · Online · $40\n'],
  ['en', 'en', 'Depression\n  Weekly · 75 min · Dr. Maya Lee · Online · $40\n'],
  ['en', 'es', 'Depression\n  Group in Spanish\n  Weekly · 75 min · Dr. Maya Lee · Online · $40\n'],
  ['es', 'en', 'Depresión\n  Grupo en inglés\n  Cada semana · 75 min · Dr. Maya Lee · Online · $40\n'],
  ['es', 'es', 'Depresión\n  Cada semana · 75 min · Dr. Maya Lee · Online · $40\n'],
])(
  'a reader of %s is told that a group is held in %p if that is another language, where, and what it costs',
  (locale, language, words) => {
    const mail = mailTo(template, { ...ada, locale, shown: shownAs('new') }, [{ ...told, language }])
    expect(mail.text).toContain(words)
    const page = parse(mail.html)
    expect(/Group in|Grupo en/.test(page.querySelector('td.row div')?.text ?? '')).toBe(/Gr/.test(words))
    expect(page.querySelectorAll('td.row div').at(-1)?.text).toBe('A weekly group for low days. Online · $40')
    const moved = mailTo(template, { ...ada, shown: shownAs('moved') }, [{ ...told, language }])
    expect(visibleText(moved.html)).toContain('Dr. Maya Lee · Online · $40')
  },
)

test('a long place or price is left to the group’s page', () => {
  const long = { ...told, place: 'Online, by video, with a link we send on the day', price: '' }
  expect(mailTo(template, { ...ada, shown: shownAs('new') }, [long]).text).toContain('Dr. Maya Lee\n')
})

test.each([
  ['weekly 3 21:00 America/New_York', 'was Wed, 9:00 PM'],
  ['weekly 0 21:00 America/Los_Angeles', 'was Mon, 12:00 AM'],
  ['once 2026-12-10 19:00 America/New_York', 'was Thu, Dec 10, 7:00 PM'],
  ['', null],
  ['weekly x', null],
  [undefined, null],
])('a session that moved from %p says "%s"', (was, words) => {
  const shown = [{ id: 1, news: 'moved' as const, ...(was !== undefined && { was }) }]
  const { text } = mailTo(template, { ...ada, shown })
  expect(text).toContain(words === null ? '  Time changed\n' : `  Time changed, ${words}\n`)
})

test('the last meeting of a weekly group is not called weekly', () => {
  const last = { ...steadyGround, lastStartsAt: steadyGround.startsAt }
  expect(mailTo(template, { ...ada, shown: shownAs('new') }, [last]).text).toContain(
    '  Last session · 75 min',
  )
})

test.each([
  [0, undefined],
  [1, '1 spot left'],
  [3, '3 spots left'],
  [4, undefined],
  [null, undefined],
])('with %p seats left the mail says %p', (seatsLeft, words) => {
  const page = parse(
    mailTo(template, { ...ada, shown: shownAs('new') }, [{ ...steadyGround, seatsLeft }]).html,
  )
  expect(page.querySelector('.row div b')?.text).toBe(seatsLeft === 0 ? '0 spots left' : words)
})

test.each<[News[], number, string, string]>([
  [['new', 'new', 'new'], 0, '3 group times for you', 'All new to you. All times are Eastern Time.'],
  [['new'], 0, '1 group time for you', 'New to you. The time is Eastern Time.'],
  [['moved'], 0, '1 group time for you', '1 with a new time. All times are Eastern Time.'],
  [
    ['moved', 'new', 'reopened'],
    0,
    '3 group times for you',
    '1 new, 1 reopened, 1 with a new time. All times are Eastern Time.',
  ],
  [
    ['new', 'new', 'reopened'],
    17,
    '20 group times for you',
    'Here are the first 3: 2 new, 1 reopened. All times are Eastern Time.',
  ],
  [['new'], 1, '2 group times for you', 'Here’s the first. All times are Eastern Time.'],
])('%p and %i more: "%s", and the sum of "%s"', (news, more, heading, lead) => {
  const { html, text } = mailTo(template, { ...ada, shown: shownAs(...news), more })
  expect(parse(html).querySelector('h1')?.text).toBe(heading)
  for (const part of [visibleText(html), text.replace(/\s+/g, ' ')]) expect(part).toContain(lead)
})

test.each([
  [['new', 'new', 'new'], 'America/New_York', 'en', 'Tuesday 5 PM to Thursday 10:30 AM; 2 at 5 PM or later.'],
  [['new', 'new', 'new'], 'Asia/Tokyo', 'en', 'Wednesday 7 AM to Friday 12:30 AM.'],
  [['new', 'new', 'new'], 'Asia/Kolkata', 'en-IN', 'Wednesday 3:30 am to Thursday 9 pm; 1 at 5 pm or later.'],
  [['new'], 'America/New_York', 'en', 'Tuesday 7 PM.'],
  [
    ['new', 'new', 'new'],
    'America/New_York',
    'es',
    'Del martes 5 p. m. al jueves 10:30 a. m.; 2 a partir de las 5 p. m.',
  ],
] as [News[], string, string, string][])(
  'the preview of %p in %s and %s says when, and nothing else: "%s"',
  (news, timeZone, locale, preview) => {
    const { html } = mailTo(template, { ...ada, timeZone, locale, shown: shownAs(...news) })
    expect(
      visibleText(html)
        .replace(/[\u200c\u00a0 ]+/g, ' ')
        .trim(),
    ).toMatch(preview)
  },
)

test('a preview of the first sessions does not speak for those that did not fit', () => {
  for (const [locale, said] of [
    ['en', 'The first 2: Tuesday 7 PM to'],
    ['es', 'Los primeros 2 · Del martes'],
  ] as const) {
    const { html } = mailTo(template, { ...ada, locale, shown: shownAs('new', 'new'), more: 5 })
    expect(visibleText(html).replace(/[\u200c\u00a0 ]+/g, ' ')).toContain(said)
  }
})

test('a preview of weeks says the date at its end', () => {
  const late = { ...quietMornings, startsAt: '2026-12-20T15:30:00.000Z' }
  const { html } = mailTo(template, { ...ada, shown: shownAs('new', 'new') }, [steadyGround, late])
  expect(visibleText(html)).toContain('Tuesday 7 PM to Dec 20, 10:30 AM; 1 at 5 PM or later.')
})

test('when clocks change before the next date, here or there, the card says so; the same on every day', () => {
  const cardOf = (timeZone: string, startsAt: string) =>
    mailTo(template, { ...ada, timeZone, shown: shownAs('new') }, [{ ...steadyGround, startsAt }]).text
  const mail = (timeZone: string, startsAt: string) => cardOf(timeZone, startsAt).replace(/\s+/g, ' ')
  // The edition is of November 30; New York goes over on March 14, London on March 28, Phoenix never.
  expect(mail('America/New_York', '2026-12-02T00:00:00Z')).not.toContain('Clocks')
  expect(mail('America/New_York', '2027-03-16T23:00:00Z')).toContain('Clocks change on March 14. This time')
  expect(mail('America/Phoenix', '2027-03-16T23:00:00Z')).toContain(
    'Clocks change on March 14 where the group is. This time',
  )
  expect(mail('Europe/London', '2027-03-30T23:00:00Z')).toContain(
    'Clocks change on March 28 where you are and on March 14 where the group is. This time',
  )
})

test('a Spanish reader gets Spanish from the subject to the footer, with dates and plurals', () => {
  const spanish = { ...ada, locale: 'es-MX', shown: shownAs('new', 'moved', 'reopened'), more: 2 }
  const mail = mailTo(template, spanish)
  expect(mail.subject).toBe('5 horarios de grupo que aún no has visto')
  expect(parse(mail.html).querySelector('html')?.getAttribute('lang')).toBe('es')
  expect(mail.text).toMatch(/^Hola, Ada:\n/)
  expect(mail.text).toContain('Jueves 3 de diciembre\n---')
  expect(mail.text).toContain('10:30\u00a0a.\u00a0m.  Quiet Mornings\n')
  expect(mail.text).toContain('Quedan 2 lugares')
  const english = mailTo(template, { ...spanish, locale: 'en-US' })
  const names = /Ground|Mornings|Feelings|Anxiety|Depression|https?:|Quay|^-+$/
  const same = mail.text
    .split('\n')
    .filter((line) => line.length > 3 && english.text.split('\n').includes(line))
  expect(same.filter((line) => !names.test(line))).toEqual([])
})

test('a reader with an unsupported language gets English', () => {
  expect(mailTo(template, { ...ada, locale: 'fi-FI' }).text).toBe(mailTo(template, ada).text)
})

test('no line of the text part exceeds 72 columns, except the greeting and unbreakable words', () => {
  const group = 'A group with a name that goes on and on, as names do that a committee has agreed upon'
  const { text } = mailTo(
    template,
    ada,
    allOffers.map((offer) => ({ ...offer, group })),
  )
  const long = text
    .split('\n')
    .slice(1)
    .filter((line) => line.length > 72)
  expect(long.filter((line) => line.trim().includes(' '))).toEqual([])
})

test("a practice's logo replaces its name, with the name as alternative text", () => {
  const letterhead = { ...harbor, logoUrl: 'https://groups.sample.test/logo.png' }
  const image = parse(mailTo({ ...template, letterhead }, ada).html).querySelector('img')
  expect(image?.attributes).toMatchObject({ src: letterhead.logoUrl, alt: 'Harbor Groups' })
})

test('only what is not simply new has a label', () => {
  const mail = mailTo(template, { ...ada, shown: shownAs('reopened', 'moved', 'new') })
  expect(textsOf(parse(mail.html), '.label')).toEqual(['Spot reopened', 'Time changed'])
  expect(mail.text).toContain('Quiet Mornings\n  Anxiety\n  Time changed\n')
})

test('the reserve button leads to the booking page and says aloud what it reserves', () => {
  const button = parse(mailTo(template, { ...ada, shown: shownAs('new') }).html).querySelector('a.button')
  expect(button?.getAttribute('href')).toBe('https://book.sample.test/groups/1?from=mail&place=1')
  expect(button?.getAttribute('aria-label')).toBe('Reserve a spot in Steady Ground, Tue, Dec 1, 7:00 PM')
  expect(button?.text).toBe('Reserve')
})

test.each<[News[], number, string]>([
  [['new'], 0, '1 new group time this week'],
  [['new', 'new', 'new'], 0, '3 new group times this week'],
  [['moved', 'new', 'reopened'], 0, '1 new group time this week'],
  [['moved', 'reopened'], 0, '2 group times changed this week'],
  [['moved'], 0, '1 group time changed this week'],
  [['new', 'moved', 'new'], 7, '10 group times you haven’t seen yet'],
  [['new'], 1, '2 group times you haven’t seen yet'],
])('%p and %i more is announced as %p', (news, more, subject) => {
  const mail = mailTo(template, { ...ada, shown: shownAs(...news), more })
  expect(mail.subject).toBe(subject)
  expect(parse(mail.html).querySelector('title')?.text).toBe(subject)
})

test.each([
  [7, 'See all 10 group times'],
  [1, 'See all 4 group times'],
])('%i that did not fit are counted with the others, and linked', (more, words) => {
  const mail = mailTo(template, { ...ada, more })
  const link = parse(mail.html).querySelector('a[href="https://groups.sample.test/sessions"]')
  expect(link?.text).toBe(words)
  expect(mail.text).toContain(`${words}:\n  https://groups.sample.test/sessions\n`)
  expect(mailTo(template, ada).text).not.toContain('See all')
})

test('the subject, and what an inbox shows beside it, name no condition and no therapist', () => {
  const mail = mailTo(template, ada)
  const before = `${mail.subject} ${visibleText(mail.html).slice(0, 200)}`
  for (const { topic, therapist, group } of allOffers)
    for (const word of [topic, therapist, group, 'therap'])
      expect(before.toLowerCase()).not.toContain(word.toLowerCase())
})

test('a discreet email does not even mention groups before it is opened', () => {
  const mail = mailTo(template, { ...ada, discreet: true, more: 2 })
  expect(mail.subject).toBe('Your weekly update')
  expect(mail.from).toBe('Weekly update <groups@mail.sample.test>')
  expect(mailTo(template, { ...ada, discreet: true, locale: 'es' })).toMatchObject({
    from: 'Resumen semanal <groups@mail.sample.test>',
    subject: 'Tu resumen de la semana',
  })
  const own = { ...template, letterhead: { ...harbor, discreetName: 'News' } }
  expect(mailTo(own, { ...ada, discreet: true }).from).toBe('News <groups@mail.sample.test>')
  const named = { ...template, letterhead: { ...harbor, discreetName: 'Lee, M.' } }
  expect(mailTo(named, { ...ada, discreet: true }).from).toBe('"Lee, M." <groups@mail.sample.test>')
  expect(visibleText(mail.html).slice(0, 120)).not.toMatch(/group time|reserve/i)
  expect(parse(mail.html).querySelector('title')?.text).toBe('Your weekly update')
})

test('the footer says who writes, where they are, why, and how to stop', () => {
  const { html, text } = mailTo(template, ada)
  for (const words of [html, text]) {
    const read = words === html ? visibleText(words) : words.replace(/\s+/g, ' ')
    expect(read).toContain('Harbor Groups, 12 Quay Street, Portland, ME 04101')
    expect(read).toContain(
      'You’re getting this because you asked Harbor Groups to email you new group times.',
    )
    expect(read).toContain(
      'Questions? Just reply. We read replies on weekdays. This isn’t an emergency service.',
    )
    expect(words).toContain('/unsubscribe/ada-public-id.signature')
    expect(words).toContain('/preferences/ada-public-id.signature')
  }
})

test('headers and tags are exactly these', () => {
  const { html: _html, text: _text, ...envelope } = mailTo(template, ada)
  expect(envelope).toEqual({
    from: 'Harbor Groups <groups@mail.sample.test>',
    to: 'ada@sample.test',
    replyTo: 'hello@sample.test',
    subject: '3 new group times this week',
    headers: {
      'List-Unsubscribe':
        '<https://groups.sample.test/unsubscribe/ada-public-id.signature>, <mailto:leave+ada-public-id@in.sample.test>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'List-Id': '<weekly.groups.sample.test>',
      'X-Entity-Ref-ID': '1z-AbCdEfGhIj',
    },
    tags: [
      { name: 'edition', value: '2026-11-30' },
      { name: 'delivery', value: '1z-AbCdEfGhIj' },
    ],
  })
})

test('no header offers an email to unsubscribe where none is read, whatever the reply address', () => {
  const unread = { ...links, unsubscribeAddress: () => null }
  const mail = digestComposer(template, allOffers, edition, unread)(ada, 'tag')
  expect(mail).toMatchObject({ replyTo: 'hello@sample.test' })
  expect(mail.headers['List-Unsubscribe']).toBe(
    '<https://groups.sample.test/unsubscribe/ada-public-id.signature>',
  )
  expect(JSON.stringify(mail.headers)).not.toContain('mailto')
})

test('without a reply address there is no Reply-To and no mention of replying', () => {
  const letterhead = { ...harbor, replyTo: null }
  const mail = mailTo({ ...template, letterhead }, ada)
  expect(mail).not.toHaveProperty('replyTo')
  expect(mail.text).not.toMatch(/repl[yi]/)
})

test('a line break in any header is refused', () => {
  const withHead = (head: Partial<typeof harbor>) => ({ ...template, letterhead: { ...harbor, ...head } })
  expect(() => mailTo(template, { ...ada, email: 'ada@sample.test\r\nBcc: eve@sample.test' })).toThrow(
    'the to of',
  )
  expect(() => mailTo(withHead({ from: 'Harbor\n<a@sample.test>' }), ada)).toThrow('the from of')
  expect(() => mailTo(withHead({ replyTo: 'a@sample.test\rX: y' }), ada)).toThrow('the reply-to of')
  const broken = { ...links, unsubscribe: () => 'https://sample.test/\r\nX: y' }
  const compose = digestComposer(template, allOffers, edition, broken)
  expect(() => compose(ada, 'tag')).toThrow('the List-Unsubscribe of')
  expect(() => digestComposer(template, allOffers, edition, links)(ada, 'a\nb')).toThrow(
    'the X-Entity-Ref-ID of',
  )
})

test('the HTML fetches nothing, and its links are the ones of the text part, each once there', () => {
  const { html, text } = mailTo(template, { ...ada, more: 3 })
  const page = parse(html)
  expect(page.querySelectorAll('img, link, script, iframe, form, video, object, svg')).toEqual([])
  expect(html).not.toMatch(/googleapis|@import|@font-face|url\(|src=|background="/i)
  const elsewhere = page
    .querySelectorAll('*')
    .filter((e) => e.rawTagName !== 'a' && /https?:/.test(e.rawAttrs))
  // XML namespaces for Outlook: names, never fetched.
  expect(elsewhere.map((e) => e.rawTagName)).toEqual(['html'])
  expect(text.match(/https?:\S+/g)?.toSorted()).toEqual(
    hrefsOf(page)
      .filter((href) => !/^(tel|sms):/.test(href))
      .toSorted(),
  )
  expect(new Set(hrefsOf(page)).size).toBe(hrefsOf(page).length)
})

test('the HTML is fit for screen readers and for every spam filter', () => {
  const { html } = mailTo(template, { ...ada, more: 3 })
  const page = parse(html)
  expect(page.querySelector('html')?.attributes).toMatchObject({ lang: 'en', dir: 'ltr' })
  expect(
    page.querySelectorAll('table').filter((table) => table.getAttribute('role') !== 'presentation'),
  ).toEqual([])
  expect(page.querySelectorAll('h1')).toHaveLength(1)
  // SpamAssassin takes white text for hidden text unless the same element has a dark background.
  const white = page.querySelectorAll('[style*="color:#ffffff"]')
  expect(white.map((e) => e.rawTagName)).toEqual(['a', 'a', 'a'])
  for (const button of white) expect(button.getAttribute('style')).toContain('background:#0b5c4a')
})

test('no template tag and no absent value is ever printed', () => {
  const least: Reader = { ...ada, name: null, shown: shownAs('new') }
  for (const reader of [ada, least, { ...ada, more: 1, discreet: true }]) {
    const { html, text } = mailTo(template, reader)
    for (const part of [html, text])
      expect(part).not.toMatch(/undefined|NaN|null|\{\{|\}\}(?!\s)|\[object|Invalid/)
  }
})

test('the greeting is the first small line, and without a name there is none', () => {
  expect(mailTo(template, ada).text).toMatch(/^Hello Ada,\n\n3 group times/)
  const { html } = mailTo(template, ada)
  expect(html.indexOf('Hello <bdi>Ada')).toBeLessThan(html.indexOf('<h1'))
  for (const name of [null, '', ' \r\n\t']) {
    const unnamed = mailTo(template, { ...ada, name })
    expect(unnamed.text).toMatch(/^3 group times for you\n/)
    expect(unnamed.html).not.toContain('Hello')
  }
})

test('the email can be read in a browser, at an address with nothing personal', () => {
  for (const discreet of [false, true]) {
    const { html, text } = mailTo(template, { ...ada, discreet })
    // Times saved from a page that a discreet email led to are discreet events.
    const page = `https://groups.sample.test/editions/2026-11-30${discreet ? '?discreet=1' : ''}`
    const link = parse(html).querySelector(`a[href="${page}"]`)
    expect(link?.text).toBe('View in browser')
    expect(text).toContain(`View in browser:\n  ${page}\n`)
  }
  const preview = digestComposer(template, allOffers, { ...edition, unsent: true }, links)(ada, 'preview')
  expect(preview.text).toContain('View in browser:\n  https://groups.sample.test/sessions\n')
  expect(preview.text).not.toContain('/editions/')
})

test.each([
  ['HTML', '<img src=x onerror="alert(1)"></p><script>'],
  ['Handlebars', '{{unsubscribeUrl}} {{{practice}}} {{#each topics}}'],
  ['line breaks', 'Ada\r\nBcc: eve@sample.test\n\nUnsubscribe: https://evil.test'],
  ['emoji and half of one', '👩🏽‍⚕️ Ada \ud83d'],
  ['right to left with an override', 'עדה \u202egnp.exe'],
  ['merge marks', '\ufdd00\ufdd1 \ufdd02\ufdd1'],
  ['300 characters', 'Ada'.repeat(100)],
])('a name full of %s stays a name', (_, name) => {
  const hostile = { ...steadyGround, group: name, therapist: name, topic: name }
  const mail = mailTo(template, { ...ada, name, shown: shownAs('new') }, [hostile])
  const clean = mailTo(template, { ...ada, shown: shownAs('new') })
  const page = parse(mail.html)
  const shape = (html: string) =>
    parse(html)
      .querySelectorAll('*')
      .map((e) => e.rawTagName)
  expect(shape(mail.html)).toEqual(shape(clean.html))
  expect(mail.text.split('\n\n').length).toBe(clean.text.split('\n\n').length)
  expect(hrefsOf(page)).toEqual(hrefsOf(parse(clean.html)))
  expect(mail.headers).toEqual(clean.headers)
  const printed = page.querySelectorAll('bdi').map((e) => e.text)
  expect(printed.pop()).toBe(harbor.practice)
  expect(new Set(printed).size).toBe(1)
  expect(mail.text.replace(/\s+/g, ' ')).toContain(`Hello ${printed[0]},`)
  // oxlint-disable-next-line no-control-regex
  expect(mail.text).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e\ufdd0]/)
  expect(mail.html.isWellFormed()).toBe(true)
})

test.each(['javascript:alert(1)', 'data:text/html,hi', '/groups/1', ''])(
  'a booking address that is not on the web (%p) is replaced by the page of all sessions',
  (bookingUrl) => {
    const { html, text } = mailTo(template, { ...ada, shown: shownAs('new') }, [
      { ...steadyGround, bookingUrl },
    ])
    expect(parse(html).querySelector('a.button')?.getAttribute('href')).toBe(
      'https://groups.sample.test/sessions',
    )
    expect(text).toContain('Reserve: https://groups.sample.test/sessions\n')
  },
)

test('a session that was not frozen is a fault, not an empty row', () => {
  expect(() => mailTo(template, { ...ada, shown: [{ id: 99, news: 'new' }] })).toThrow('session 99')
})

test('a composer that has made a thousand other emails makes the same bytes as a fresh one', () => {
  const compose = digestComposer(template, allOffers, edition, links)
  const zones = ['America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'UTC']
  const readers = Array.from({ length: 1000 }, (_, n) => ({
    ...ada,
    publicId: `reader-${n}`,
    name: n % 3 === 0 ? null : `Reader ${n}`,
    timeZone: zones[n % 4] ?? 'UTC',
    more: n % 90,
  }))
  const mails = readers.map((reader) => compose(reader, 'tag'))
  for (const n of [0, 1, 7, 500, 999]) {
    const reader = readers[n] ?? ada
    expect(compose(reader, 'tag')).toEqual(mails[n])
    expect(digestComposer(template, allOffers, edition, links)(reader, 'tag')).toEqual(mails[n])
  }
})

test('an old email is rebuilt byte for byte on another machine and in another year', async () => {
  const mail = JSON.stringify(mailTo(template, ada))
  const fixture = new URL('./digest.fixture.ts', import.meta.url).href
  const templates = new URL('../../templates/load.ts', import.meta.url).href
  const script = `
    const OurDate = Date
    globalThis.Date = class extends OurDate {
      constructor(...given) { super(...(given.length ? given : ['2031-07-01T12:00:00Z'])) }
      static now() { return OurDate.parse('2031-07-01T12:00:00Z') }
    }
    Math.random = () => { throw new Error('random') }
    const { ada, harbor, mailTo } = await import('${fixture}')
    const { loadTemplates } = await import('${templates}')
    process.stdout.write(JSON.stringify(mailTo({ ...(await loadTemplates()).digest, letterhead: harbor }, ada)))`
  const env = { TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' }
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env, cwd: '/' })
  expect((await run).stdout).toBe(mail)
})

// When a template or a word is changed on purpose, put the new sums here: they show that nothing changed by itself.
test('the sample email has not changed', () => {
  const { html, text } = mailTo(template, ada)
  expect({ html: sha256(html), text: sha256(text) }).toEqual({
    html: '3fee92fee03a2c9674d8da2dd79acabffdea24261e9e341d0aba09cc59d32bf5',
    text: '41f16d1ae6b45fd073d0b397eb8092ef6377e30b58c6ab4c69476cf957c745d4',
  })
})

test('a typical email is at most 40 KB and the largest at most 60 KB: long names mean fewer sessions', () => {
  const mailOf = (count: number, group = 'Quiet Mornings') => {
    const offers = Array.from({ length: count }, (_, n) => ({
      ...quietMornings,
      id: n + 1,
      group,
      topicId: n % 10,
      topic: `Topic number ${n % 10}`,
      kind: strongFeelings.kind,
      bookingUrl: `https://book.sample.test/groups/skills-for-strong-feelings/${n}?from=mail`,
    }))
    return mailTo(template, { ...ada, shown: shownAs(...offers.map(() => 'reopened' as const)) }, offers)
  }
  const sizeOf = ({ html }: { html: string }) => Buffer.byteLength(html)
  expect(sizeOf(mailOf(15))).toBeLessThan(40_000)
  expect(sizeOf(mailOf(40))).toBeLessThan(60_000)
  expect(parse(mailOf(40).html).querySelectorAll('a.button')).toHaveLength(40)
  const long = mailOf(40, 'The quiet mornings group '.repeat(12))
  expect(sizeOf(long)).toBeLessThan(60_000)
  expect(sizeOf(long)).toBeGreaterThan(50_000)
  expect(long.subject).toBe('40 group times you haven’t seen yet')
  const shown = parse(long.html).querySelectorAll('a.button').length
  expect(shown).toBeLessThan(40)
  expect(parse(long.html).querySelector('h1')?.text).toBe('40 group times for you')
  expect(long.text).toContain('See all 40 group times:')
})

test.each([
  ['en', 'Tuesday, January 11, 2028'],
  ['es', 'Martes 11 de enero de 2028'],
])(
  'in %s a date more than eleven months after the edition carries its year, in HTML and text',
  (locale, says) => {
    const far = {
      ...steadyGround,
      startsAt: '2028-01-12T00:00:00.000Z',
      lastStartsAt: '2028-02-02T00:00:00.000Z',
    }
    const composer = digestComposer(template, [far], edition, links)
    const mail = composer({ ...ada, locale, shown: shownAs('new') }, 'tag')
    expect(visibleText(mail.html)).toContain(says)
    expect(mail.text.replace(/\s+/g, ' ')).toContain(says)
  },
)
