import { beforeAll, expect, test } from '@jest/globals'
import { broken, complaints, soundMail, swap } from './broken.fixture.ts'
import { headers } from './headers.ts'
import type { Mail } from './mail.ts'
import { privacy } from './privacy.ts'

let digest: Mail
let discreet: Mail
beforeAll(async () => {
  digest = await soundMail('digest')
  discreet = await soundMail('discreet')
})

test.each([
  ['bare line feeds', '\r\nDate:', '\nDate:', 'not CRLF'],
  ['raw UTF-8', 'Hello', 'Hell\u00f6', 'beyond 7 bits'],
  ['a header that is there twice', '\r\nDate:', '\r\nTo: eve@sample.test\r\nDate:', 'To is there 2 times'],
  ['a second recipient', '\r\nTo: ada@', '\r\nTo: eve@sample.test, ada@', 'not the one recipient'],
  ['a missing date', '\r\nDate:', '\r\nX-Date:', 'Date is there 0 times'],
  ['an endless line', 'Hello', `Hello ${'x'.repeat(1000)}`, 'more than 998'],
])('the message gate tells of %s', async (_, before, after, words) => {
  const eml = Buffer.from(swap(digest.eml.toString('latin1'), before, after), 'latin1')
  expect(complaints(await headers({ ...digest, eml }))).toContain(words)
})

test('a confirmation that offers to unsubscribe is reported', async () => {
  const confirm = await soundMail('confirm')
  expect(complaints(await headers(confirm))).toBe('')
  const early = await broken(confirm, ({ headers: sent }) => ({
    headers: { ...sent, 'List-Unsubscribe': '<https://groups.sample.test/u/x>' },
  }))
  expect(complaints(await headers(early))).toContain('before it is subscribed to')
})

test('a discreet email that says what it is about before it is opened is reported', async () => {
  const mail = await broken(discreet, ({ html }) => ({
    html: swap(html, /<h1[^>]*>[^<]*/, '<h1>New group times'),
  }))
  expect(complaints(privacy(mail))).toContain('heading is not discreet: New group times')
  const named = await broken(discreet, () => ({ from: 'Harbor Groups <groups@mail.sample.test>' }))
  expect(complaints(privacy(named))).toContain('From is not discreet')
})
