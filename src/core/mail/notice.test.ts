import { beforeAll, expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { compileInTest } from '../../../test/mjml.ts'
import { loadTemplates, type Templates } from '../../templates/load.ts'
import { translatorFor } from '../words/words.ts'
import { harbor } from './digest.fixture.ts'
import { byStranger, composeNotice, type NoticeFacts } from './notice.ts'

let templates: Templates

beforeAll(async () => {
  templates = await loadTemplates({ compile: compileInTest })
})

const mailOf = (facts: NoticeFacts, letterhead = harbor, locale = 'en') =>
  composeNotice(templates.notice, letterhead, facts, translatorFor(templates.words, locale))

const KINDS: NoticeFacts['kind'][] = [
  ...(['confirm', 'welcome', 'already', 'change-address', 'address-changed'] as const),
  ...(['fresh-data', 'fresh-forget', 'fresh-address', 'fresh-links'] as const),
]

test.each(KINDS)(
  'the notice "%s" has one link to press, who we are and where to turn, in both parts',
  (kind) => {
    const mail = mailOf(facts(kind))
    const links = parse(mail.html)
      .querySelectorAll('a')
      .map((link) => link.getAttribute('href'))
    expect(links).toEqual(['https://groups.harbor.test/act/token', 'tel:988', 'sms:988', 'tel:911'])
    for (const part of [parse(mail.html).textContent, mail.text]) {
      expect(part).toContain(harbor.postalAddress)
      expect(part.replace(/\s+/g, ' ')).toContain('Call 988 or text 988, free, any time (US).')
      expect(part).not.toMatch(/undefined|\{\{|\[object/)
    }
    expect(mail.text.split('https://groups.harbor.test/act/token')).toHaveLength(2)
    expect(mail.subject).not.toMatch(/therap|group|Harbor/i)
  },
)

test('a welcome says when the first email comes and how to unsubscribe', () => {
  const ways = {
    unsubscribeUrl: 'https://groups.harbor.test/u',
    preferencesUrl: 'https://groups.harbor.test/p',
  }
  const mail = mailOf({ ...facts('welcome'), ...ways })
  expect(mail.text).toContain('Mon, Nov 30')
  for (const part of [mail.html, mail.text])
    for (const url of Object.values(ways)) expect(part).toContain(url)
  expect(mail.headers).toMatchObject({ 'List-Unsubscribe': '<https://groups.harbor.test/u>' })
  const more = mailOf({ ...facts('welcome'), ...ways, unsubscribeAddress: 'leave+x1@in.harbor.test' })
  expect(more.headers).toMatchObject({
    'List-Unsubscribe': '<https://groups.harbor.test/u>, <mailto:leave+x1@in.harbor.test>',
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  })
})

test.each(KINDS.filter(byStranger))(
  'whoever gets the notice "%s" can end such emails, in both parts',
  (kind) => {
    const notMeUrl = 'https://groups.harbor.test/not-me/token'
    const mail = mailOf({ ...facts(kind), notMeUrl })
    for (const part of [mail.html, mail.text]) expect(part).toContain(notMeUrl)
  },
)

test.each(KINDS)('the notice "%s" is Spanish from head to foot for who reads Spanish', (kind) => {
  const [english, spanish] = [mailOf(facts(kind)), mailOf(facts(kind), harbor, 'es-MX')]
  expect(parse(spanish.html).querySelector('html')?.getAttribute('lang')).toBe('es')
  const shared = spanish.text.split('\n').filter((line) => line.length > 12 && english.text.includes(line))
  expect(shared.map((line) => line.trim())).toEqual([
    'https://groups.harbor.test/act/token',
    harbor.postalAddress,
  ])
})

test('without a crisis line there is no gap where it would be', () => {
  const mail = mailOf(facts('confirm'), { ...harbor, crisisLine: 'off' })
  expect(mail.text).not.toMatch(/\n\n\n/)
  expect(mail.html).not.toContain('null')
})

test('a welcome says what to expect, in HTML and text', () => {
  const parts = [
    { heading: 'Your <first> time', text: 'You decide how much you share.' },
    { heading: 'Not for emergencies', text: '' },
  ]
  const { html, text } = mailOf({ ...facts('welcome'), expect: { language: 'en', parts } })
  expect(html).toContain('<b>Your &lt;first&gt; time</b>')
  expect(html).toContain('You decide how much you share.')
  expect(text).toContain(
    'What to expect\n\nYour <first> time\nYou decide how much you share.\n\nNot for emergencies\n',
  )
  expect(mailOf(facts('welcome')).text).not.toContain('What to expect')
})

function facts(kind: NoticeFacts['kind']): NoticeFacts {
  const url = 'https://groups.harbor.test/act/token'
  return {
    ...{
      id: 'n-1',
      kind,
      to: 'ada@sample.test',
      name: 'Ada',
      timeZone: 'America/New_York',
      discreet: false,
      url,
    },
    ...{ unsubscribeUrl: null, unsubscribeAddress: null, preferencesUrl: null, notMeUrl: null },
    nextDate: 'Mon, Nov 30',
  }
}
