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

test('sessions are grouped by topic, topics by name and sessions soonest first', () => {
  const page = parse(mailTo(template, ada).html)
  expect(textsOf(page, 'h1, h2, h3').map((text) => text.replace(/\s+/g, ' '))).toEqual([
    '3 new times this week, 2 in the evening',
    'Anxiety',
    'Skills for Strong Feelings New',
    'Quiet Mornings New',
    'Depression',
    'Steady Ground New',
  ])
})

test('each session says when, with whom, how often, and how many spots are left when few are', () => {
  const page = parse(mailTo(template, ada).html)
  expect(
    page.querySelectorAll('td.row').map((cell) => cell.querySelectorAll('div').map((one) => one.innerHTML)),
  ).toEqual([
    ['Tue, Dec 1 · 5:00 PM EST, once', 'Skills group with <bdi>Noor Haddad</bdi>, 75 minutes'],
    [
      'Thu, Dec 3 · 10:30 AM EST, weekly until February 4',
      '7:30 AM PST for the group<br>Group with <bdi>Tom Okafor, LCSW</bdi>, 75 minutes',
      '2 places left',
    ],
    ['Tue, Dec 1 · 7:00 PM EST, weekly', 'Group with <bdi>Dr. Maya Lee</bdi>, 75 minutes'],
  ])
})

test('a reader far away sees their own day and time, and the day of the group where it is another', () => {
  const { text } = mailTo(template, {
    ...ada,
    timeZone: 'Australia/Sydney',
    locale: 'en-AU',
    shown: shownAs('new'),
  })
  expect(text).toContain('  Wed, 2 Dec · 11:00 am AEDT, weekly\n  Tue, 1 Dec · 7:00 pm GMT-5 for the group\n')
  expect(text.replace(/\s+/g, ' ')).toContain('All times are in Sydney Time')
})

test('zones of different names whose clocks agree show one time', () => {
  const { text } = mailTo(template, { ...ada, timeZone: 'America/Toronto', shown: shownAs('new') })
  expect(text).not.toContain('for the group')
})

test('the last meeting of a weekly group is not called weekly', () => {
  const last = { ...steadyGround, lastStartsAt: steadyGround.startsAt }
  expect(mailTo(template, { ...ada, shown: shownAs('new') }, [last]).text).toContain('EST, for the last time')
})

test.each([
  [0, undefined],
  [1, '1 place left'],
  [3, '3 places left'],
  [4, undefined],
  [null, undefined],
])('with %p seats left the mail says %p', (seatsLeft, words) => {
  const page = parse(
    mailTo(template, { ...ada, shown: shownAs('new') }, [{ ...steadyGround, seatsLeft }]).html,
  )
  expect(page.querySelector('.few')?.text).toBe(seatsLeft === 0 ? '0 places left' : words)
})

test.each<[News[], string, string]>([
  [['new', 'new', 'new'], 'America/New_York', '3 new times this week, 2 in the evening'],
  [['new', 'new', 'new'], 'Asia/Tokyo', '3 new times this week'],
  [['new'], 'America/New_York', '1 new time this week, in the evening'],
  [['moved'], 'America/New_York', '1 time changed this week, in the evening'],
])('%p in %s opens with "%s"', (news, timeZone, heading) => {
  const page = parse(mailTo(template, { ...ada, timeZone, shown: shownAs(...news) }).html)
  expect(page.querySelector('h1')?.text).toBe(heading)
})

test('when clocks change before the next date, here or there, the card says so; the same on every day', () => {
  const cardOf = (timeZone: string, startsAt: string) =>
    mailTo(template, { ...ada, timeZone, shown: shownAs('new') }, [{ ...steadyGround, startsAt }]).text
  const mail = (timeZone: string, startsAt: string) => cardOf(timeZone, startsAt).replace(/\s+/g, ' ')
  // The edition is of November 30; New York goes over on March 14, London on March 28, Phoenix never.
  expect(mail('America/New_York', '2026-12-02T00:00:00Z')).not.toContain('change')
  expect(mail('America/New_York', '2027-03-16T23:00:00Z')).toContain('Your clocks change on March 14;')
  expect(mail('America/Phoenix', '2027-03-16T23:00:00Z')).toContain('The group’s clocks change on March 14;')
  expect(mail('Europe/London', '2027-03-30T23:00:00Z')).toContain(
    'Your clocks change on March 28, the group’s on March 14;',
  )
})

test('a Spanish reader gets Spanish from the subject to the footer, with dates and plurals', () => {
  const spanish = { ...ada, locale: 'es-MX', shown: shownAs('new', 'moved', 'reopened'), more: 2 }
  const mail = mailTo(template, spanish)
  expect(mail.subject).toBe('5 horarios de grupo que aún no has visto')
  expect(parse(mail.html).querySelector('html')?.getAttribute('lang')).toBe('es')
  expect(mail.text).toMatch(/^Hola, Ada:\n/)
  expect(mail.text).toContain('jue 3 de dic · 10:30\u00a0a.\u00a0m.')
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

test('the label says what is new about a session for this reader', () => {
  const mail = mailTo(template, { ...ada, shown: shownAs('reopened', 'moved', 'new') })
  expect(textsOf(parse(mail.html), '.label')).toEqual(['New', 'New time', 'Place reopened'])
  expect(mail.text).toContain('Quiet Mornings (New time)')
})

test('the reserve button leads to the booking page and says aloud what it reserves', () => {
  const button = parse(mailTo(template, { ...ada, shown: shownAs('new') }).html).querySelector('a.button')
  expect(button?.getAttribute('href')).toBe('https://book.sample.test/groups/1?from=mail&place=1')
  expect(button?.getAttribute('aria-label')).toBe('Reserve a place in Steady Ground, Tue, Dec 1, 7:00 PM')
  expect(button?.text).toBe('Reserve')
})

test.each<[News[], number, string]>([
  [['new'], 0, '1 new group time this week'],
  [['new', 'new', 'new'], 0, '3 new group times this week'],
  [['moved', 'new', 'reopened'], 0, '1 new group time this week'],
  [['moved', 'reopened'], 0, '2 group times changed this week'],
  [['moved'], 0, '1 group time changed this week'],
  [['new', 'moved', 'new'], 7, '10 group times you have not seen yet'],
  [['new'], 1, '2 group times you have not seen yet'],
])('%p and %i more is announced as %p', (news, more, subject) => {
  const mail = mailTo(template, { ...ada, shown: shownAs(...news), more })
  expect(mail.subject).toBe(subject)
  expect(parse(mail.html).querySelector('title')?.text).toBe(subject)
})

test.each([
  [7, 'See 7 more times'],
  [1, 'See 1 more time'],
])('%i that did not fit are counted and linked', (more, words) => {
  const mail = mailTo(template, { ...ada, more })
  const link = parse(mail.html).querySelector('a[href="https://groups.sample.test/sessions"]')
  expect(link?.text).toBe(words)
  expect(mail.text).toContain(`${words}:\n  https://groups.sample.test/sessions\n`)
  expect(mailTo(template, ada).text).not.toContain('more time')
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
    expect(read).toContain('You get this mail because you asked Harbor Groups for new group times.')
    expect(read).toContain('Questions? Just reply.')
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
  expect(mail.text).not.toContain('reply')
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

test('the greeting works without a name, or with a blank one', () => {
  expect(mailTo(template, ada).text).toMatch(/^Hello Ada,\n/)
  for (const name of [null, '', ' \r\n\t'])
    expect(mailTo(template, { ...ada, name }).text).toMatch(/^Hello,\n/)
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
    html: '81852aaa2cc10122fc75520b0ea82d7242bbe0fe9524507ee13754675b64dc51',
    text: '2907ddfcadb8d08c3fb10baa5693d45e75ab1bb2f8ad7f185003e5fd6ba03654',
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
  const long = mailOf(40, 'The quiet mornings group '.repeat(12))
  expect(sizeOf(long)).toBeLessThan(60_000)
  expect(sizeOf(long)).toBeGreaterThan(50_000)
  expect(long.subject).toBe('40 group times you have not seen yet')
  const shown = parse(long.html).querySelectorAll('a.button').length
  expect(long.text).toContain(`See ${40 - shown} more times:`)
})

test.each([
  ['en', 'Tue, Jan 11, 2028 · 7:00 PM EST, weekly until February 1, 2028'],
  ['es', 'mar 11 de ene de 2028'],
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
