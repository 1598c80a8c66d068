import { expect, test } from '@jest/globals'
import { exampleSettings } from './example-settings.ts'

test.each([
  ['MAIL_FROM', 'Harbor Groups <groups@mail.harbor-groups.example>', 'verified at Resend'],
  ['MAIL_FROM', 'Lakeside <groups@mail.your-practice.org>', 'verified at Resend'],
  ['MAIL_FROM', 'a@Example.COM.', 'verified at Resend'],
  ['MAIL_FROM', '"Harbor Groups" <groups@lakeside.health>', 'the name of your practice'],
  ['MAIL_REPLY_TO', 'hello@harbor-groups.example', 'leave it blank'],
  ['UNSUBSCRIBE_ADDRESS', 'leave@in.your-practice.org', 'leave it blank'],
  ['PUBLIC_URL', 'https://groups.harbor-groups.example', 'where your readers reach these pages'],
  ['PUBLIC_URL', 'https://groups.harbor.test/groups', 'where your readers reach these pages'],
  ['PUBLIC_URL', 'https://groups.invalid:8443', 'where your readers reach these pages'],
  ['PRACTICE_URL', 'https://www.your-practice.org', 'leave it blank'],
  ['PRACTICE_PHONE', '(207) 555-0134', 'leave it blank'],
  ['POSTAL_ADDRESS', 'Lakeside, 12 Quay Street, Portland, ME 04101', 'street address of your practice'],
  ['BRAND_NAME', 'Harbor Groups', 'the name of your practice'],
  ['RESEND_API_KEY', 're_123456789', 'resend.com/api-keys'],
])('%s=%s is an example', (name, value, advice) => {
  expect(exampleSettings({ [name]: value })).toEqual([
    expect.stringMatching(new RegExp(`^${name} (is|has) an example.*; .*${advice}`)),
  ])
})

test('what only looks like an example is taken', () => {
  const own = {
    RESEND_API_KEY: 're_kT9vQ2mX_w7LrPd4sHn8bYc3Z',
    MAIL_FROM: 'Harbor Groups <groups@mail.harborgroups.com>',
    MAIL_REPLY_TO: 'test@contest.org',
    PUBLIC_URL: 'http://localhost-groups.org:3000',
    PRACTICE_URL: 'https://example.lakeside.org/test',
    PRACTICE_PHONE: '(555) 401-0155',
    POSTAL_ADDRESS: 'Harbor Groups, 112 Quay St, Portland, ME 04101',
    BRAND_NAME: 'Harbor Groups',
  }
  expect(exampleSettings(own)).toEqual([])
  expect(exampleSettings({ MAIL_FROM: 'Mira <mira@lakeside.org>', PUBLIC_URL: 'no address' })).toEqual([])
  expect(exampleSettings({})).toEqual([])
})
