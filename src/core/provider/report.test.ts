import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hashEmail, newHashKey } from '../tokens.ts'
import {
  bouncesInARow,
  type DeliveryReport,
  furthest,
  type Report,
  readProviderEvent,
  suppressionFor,
} from './report.ts'

const KEY = newHashKey()
const NOW = new Date('2026-11-23T15:00:00Z')
const AT = '2026-11-23T14:41:12.126Z'

const event = (type: string, data: unknown, created_at: string = AT) => ({ type, created_at, data })
const read = (body: unknown) => readProviderEvent(body, KEY, NOW)

/** As Resend's own page shows it. https://resend.com/docs/webhooks/emails/bounced */
const MAIL = {
  created_at: '2026-11-23T14:41:11.894719+00:00',
  email_id: '56761188-7520-42d8-8898-ff6fc54ce618',
  message_id: '<111-222@mail.harbor.test>',
  from: 'Harbor Groups <groups@mail.harbor.test>',
  to: ['Ada@Sample.test'],
  subject: 'New group times',
  tags: { edition: '2026-11-23', delivery: '1-abcdefghij' },
}
const BOUNCE = {
  type: 'Permanent',
  subType: 'General',
  message: 'The mailbox of ada@sample.test does not exist',
  diagnosticCode: ['smtp; 550 5.1.1 <ada@sample.test> user unknown'],
}

test('a bounce is reduced to its kind, its ids and the keyed hash of the address', () => {
  expect(read(event('email.bounced', { ...MAIL, bounce: BOUNCE }))).toEqual({
    type: 'email.bounced',
    at: Date.parse(AT),
    mail: {
      report: 'bounced',
      soft: false,
      detail: 'permanent/General',
      providerId: MAIL.email_id,
      deliveryTag: '1-abcdefghij',
      emailHashes: [hashEmail(KEY, 'ada@sample.test')],
    },
  })
})

test.each([
  ['email.sent', {}, 'sent', false, null],
  ['email.scheduled', {}, null, false, null],
  ['email.delivery_delayed', {}, 'delayed', false, null],
  ['email.delivered', {}, 'delivered', false, null],
  ['email.complained', {}, 'complained', false, null],
  ['email.failed', { failed: { reason: 'reached_daily_quota' } }, 'failed', false, 'reached_daily_quota'],
  [
    'email.suppressed',
    { suppressed: { type: 'OnAccountSuppressionList' } },
    'suppressed',
    false,
    'OnAccountSuppressionList',
  ],
  [
    'email.bounced',
    { bounce: { type: 'Transient', subType: 'MailboxFull' } },
    'bounced',
    true,
    'transient/MailboxFull',
  ],
  ['email.bounced', { bounce: { type: 'Undetermined' } }, 'bounced', true, 'undetermined'],
  [
    'email.bounced',
    { bounce: { type: 'permanent', subType: 'NoEmail' } },
    'bounced',
    false,
    'permanent/NoEmail',
  ],
  ['email.bounced', {}, 'bounced', true, 'undetermined'],
])('%s %j is understood', (type, more, report, soft, detail) => {
  expect(read(event(type, { ...MAIL, ...more })).mail).toMatchObject({ report, soft, detail })
})

test.each([
  'email.opened',
  'email.clicked',
  'email.received',
  'contact.updated',
  'suppression.added',
  'soap.opera',
])('%s is kept by its type alone', (type) => {
  const data = { ...MAIL, click: { ipAddress: '192.0.2.7', link: 'https://a.test', userAgent: 'x' } }
  expect(read(event(type, data))).toEqual({ type, at: Date.parse(AT), mail: null })
})

test('anything that is not an event is unreadable', () => {
  const notEvents = [
    null,
    undefined,
    7,
    'email.sent',
    [],
    {},
    { type: 'ada@sample.test' },
    { type: 'constructor' },
  ]
  for (const body of notEvents)
    expect(read(body)).toEqual({ type: 'unreadable', at: NOW.getTime(), mail: null })
  fc.assert(fc.property(fc.anything(), (data) => expect(read(event('email.bounced', data))).toBeDefined()))
})

test('fields that are missing or strange do not lose the rest, and no free text is kept', () => {
  const strange = {
    to: 'ada@sample.test',
    tags: ['delivery'],
    bounce: { type: 'Permanent', subType: 'ada@sample.test' },
  }
  expect(read(event('email.bounced', { ...MAIL, ...strange }, 'last Tuesday'))).toEqual({
    type: 'email.bounced',
    at: NOW.getTime(),
    mail: {
      ...{ report: 'bounced', soft: false, detail: 'permanent' },
      ...{ providerId: MAIL.email_id, deliveryTag: null, emailHashes: [] },
    },
  })
})

const report: fc.Arbitrary<DeliveryReport> = fc.record({
  report: fc.constantFrom<Report>(
    'sent',
    'delayed',
    'delivered',
    'bounced',
    'complained',
    'suppressed',
    'failed',
  ),
  soft: fc.constant(false),
  at: fc.nat(5),
})

test('the furthest report is the same in any order', () => {
  fc.assert(
    fc.property(fc.array(report, { minLength: 1 }), fc.nat(), (all, seed) => {
      const end = (list: DeliveryReport[]) => list.reduce<DeliveryReport | null>(furthest, null)
      const turned = [...all.slice(seed % all.length), ...all.slice(0, seed % all.length)].reverse()
      expect(end([...turned, ...all])).toEqual(end(all))
    }),
  )
})

test('a soft bounce is further than a delay and less than a delivery; a bounce for good is further than both', () => {
  const soft = { report: 'bounced', soft: true, at: 9 } as const
  const hard = { report: 'bounced', soft: false, at: 1 } as const
  const delivered = { report: 'delivered', soft: false, at: 5 } as const
  expect(furthest({ report: 'delayed', soft: false, at: 10 }, soft)).toBe(soft)
  expect(furthest(delivered, soft)).toBe(delivered)
  expect(furthest(soft, delivered)).toBe(delivered)
  expect(furthest(hard, delivered)).toBe(hard)
  expect(furthest(soft, hard)).toBe(hard)
})

test('only permanent failures stop all email to an address', () => {
  expect(suppressionFor({ report: 'bounced', soft: false })).toBe('bounce')
  expect(suppressionFor({ report: 'bounced', soft: true })).toBeNull()
  expect(suppressionFor({ report: 'complained', soft: false })).toBe('complaint')
  expect(suppressionFor({ report: 'suppressed', soft: false })).toBe('provider')
  for (const report of ['sent', 'delayed', 'delivered', 'failed', null] as const)
    expect(suppressionFor({ report, soft: false })).toBeNull()
})

test.each<[string, number, [string, Report | null][]]>([
  ['nothing known', 0, []],
  [
    'two in a row',
    2,
    [
      ['e3', 'bounced'],
      ['e2', 'bounced'],
      ['e1', 'delivered'],
    ],
  ],
  [
    'a delivery ends it',
    0,
    [
      ['e3', 'delivered'],
      ['e2', 'bounced'],
    ],
  ],
  [
    'a complaint was delivered',
    0,
    [
      ['e3', 'complained'],
      ['e2', 'bounced'],
    ],
  ],
  [
    'an edition without an outcome is passed over',
    2,
    [
      ['e4', 'bounced'],
      ['e3', null],
      ['e2', 'delayed'],
      ['e1', 'bounced'],
    ],
  ],
  [
    'an edition and its resend count once',
    1,
    [
      ['e3', 'bounced'],
      ['e3', 'bounced'],
      ['e2', 'delivered'],
    ],
  ],
  [
    'the resend has the last word',
    0,
    [
      ['e3', 'delivered'],
      ['e3', 'bounced'],
      ['e2', 'bounced'],
    ],
  ],
])('bounces in a row: %s', (_what, count, rows) => {
  expect(bouncesInARow(rows.map(([editionId, report]) => ({ editionId, report })))).toBe(count)
})
