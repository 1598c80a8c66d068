import { beforeAll, expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { compileInTest } from '../../../test/mjml.ts'
import { loadTemplates, type Templates } from '../../templates/load.ts'
import type { Flag } from '../review/flags.ts'
import { translatorFor } from '../words/words.ts'
import { harbor } from './digest.fixture.ts'
import { composeReviewNotice, type ReviewFacts } from './review-notice.ts'

let templates: Templates
beforeAll(async () => {
  templates = await loadTemplates({ compile: compileInTest })
})

const FACTS: ReviewFacts = {
  id: 'q8T0cXv1-WmZ',
  to: 'ira@sample.test',
  editionId: '2026-11-30',
  at: new Date('2026-11-30T14:00:00Z'),
  timeZone: 'America/New_York',
  isDue: false,
  outlook: 'goes',
  flags: [],
  counts: { recipients: 1_211, candidates: 1_250, news: 1 },
  until: new Date('2026-12-02T14:00:00Z'),
  url: 'https://operators.harbor.test/',
}

const mailOf = (facts: Partial<ReviewFacts>) =>
  composeReviewNotice(
    templates.notice,
    harbor,
    { ...FACTS, ...facts },
    {
      words: translatorFor(templates.operatorWords, 'en'),
      translator: translatorFor(templates.words, 'en'),
    },
  )
const said = (text: string) => text.replace(/\s+/g, ' ')

test.each([
  [
    'goes',
    'The email of Monday, November 30 goes out as planned',
    'If nobody does anything, it goes out then',
  ],
  ['approved', 'The email of Monday, November 30 goes out as planned', 'Someone has approved it'],
  ['going', 'The email of Monday, November 30 is going out', 'It goes out now'],
  [
    'waits',
    'The email of Monday, November 30 waits for you',
    'If nobody has by Wednesday, December 2, 9:00 AM EST',
  ],
  ['held', 'The email of Monday, November 30 waits for you', 'Someone holds it'],
] as const)(
  'an operator hears that an edition %s, and what happens if nobody does anything',
  (outlook, subject, says) => {
    const mail = mailOf({ outlook })
    expect(mail).toMatchObject({
      to: 'ira@sample.test',
      subject,
      tags: [],
      headers: { 'X-Entity-Ref-ID': FACTS.id },
    })
    for (const part of [parse(mail.html).textContent, mail.text]) {
      expect(said(part)).toContain('is due Monday, November 30 at 9:00 AM EST. 1,211 of 1,250 people')
      expect(said(part)).toContain('with 1 new group time.')
      expect(said(part)).toContain(says)
      expect(said(part)).toContain('Nothing about it is odd.')
      expect(part).not.toMatch(/undefined|\{\{|\[object|988/)
    }
    const links = parse(mail.html).querySelectorAll('a')
    expect(links.map((link) => link.getAttribute('href'))).toEqual(['https://operators.harbor.test/'])
  },
)

const sessions = Array.from({ length: 7 }, (_, id) => ({ id, group: `Group ${id}`, date: '2025-12-01' }))

test.each<[Flag, string]>([
  [{ name: 'no-news' }, 'Nothing is new: every group time in it was shown before. Add the new group times'],
  [{ name: 'many-news', news: 40, usual: 9.5 }, '40 group times are new. Usually it is about 9.5.'],
  [
    { name: 'fewer-people', people: 75, last: 100, lastId: '2026-11-23' },
    'It is for 75 people, with those who get one a month. Last time, on 2026-11-23, it was for 100: that is 25% fewer.',
  ],
  [{ name: 'more-people', people: 3, last: 2, lastId: '2026-11-23' }, 'it was for 2: that is 50% more.'],
  [
    { name: 'new-host', hosts: ['a.test', 'b.test'] },
    'Reserve buttons lead to a.test, b.test, where no email',
  ],
  [
    { name: 'dead-link', links: [{ url: 'https://a.test/x', status: 404 }] },
    'A booking link does not work: https://a.test/x answers 404.',
  ],
  [{ name: 'past-date', sessions }, '7 dates were past when they were entered: Group 0 on 2025-12-01,'],
  [
    { name: 'far-date', sessions: sessions.slice(0, 1) },
    'A date is more than a year ahead: Group 0 on 2025-12-01.',
  ],
  [
    { name: 'shifted', moved: 5, of: 8, minutes: -300 },
    '5 of 8 group times moved by the same amount: 5 hours earlier.',
  ],
  [{ name: 'shifted', moved: 5, of: 8, minutes: 1_440 }, '1 day later.'],
  [{ name: 'shifted', moved: 5, of: 8, minutes: 90 }, '90 minutes later.'],
  [
    { name: 'resend', checks: [{ name: 'Resend key', detail: '401: bad', fix: 'Make a key.' }] },
    'Email may not go out. Resend key: 401: bad. Make a key.',
  ],
])('what is odd comes with its numbers, and with what to do: %j', (flag, words) => {
  const mail = mailOf({ outlook: 'waits', flags: [flag] })
  expect(mail.subject).toBe('Please look at the email of Monday, November 30')
  expect(said(mail.text)).toContain(words)
  expect(mail.text).not.toContain('Nothing about it is odd')
})

test('what someone entered cannot become markup, a line, or a header', () => {
  const group = '<b>Bold</b>\r\nBcc: eve@sample.test'
  const mail = mailOf({ flags: [{ name: 'far-date', sessions: [{ id: 1, group, date: '2029-01-01' }] }] })
  expect(parse(mail.html).querySelectorAll('b')).toEqual([])
  expect(mail.text).not.toMatch(/^Bcc/m)
  expect(() => mailOf({ to: 'a@sample.test\r\nBcc: eve@sample.test' })).toThrow('line break')
})
