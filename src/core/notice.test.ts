import { beforeAll, expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { loadTemplates, type MailTemplate } from '../templates.ts'
import { harbor } from './email.fixture.ts'
import { composeNotice, type NoticeFacts } from './notice.ts'

let template: MailTemplate

beforeAll(async () => {
  template = (await loadTemplates()).notice
})

const KINDS: NoticeFacts['kind'][] = ['confirm', 'already', 'change-address']

test.each(KINDS)(
  'the notice "%s" has one link to press, who we are and where to turn, in both parts',
  (kind) => {
    const mail = composeNotice(template, { ...harbor, crisisNote: 'In a crisis, call 988.' }, facts(kind))
    const links = parse(mail.html)
      .querySelectorAll('a')
      .map((link) => link.getAttribute('href'))
    expect(links).toEqual(['https://groups.harbor.test/act/token'])
    for (const part of [parse(mail.html).textContent, mail.text]) {
      expect(part).toContain(harbor.postalAddress)
      expect(part).toContain('In a crisis, call 988.')
      expect(part).not.toMatch(/undefined|\{\{|\[object/)
    }
    expect(mail.text.split('https://groups.harbor.test/act/token')).toHaveLength(2)
    expect(mail.subject).not.toMatch(/therap|group|Harbor/i)
  },
)

test('without a crisis line there is no gap where it would be', () => {
  const mail = composeNotice(template, { ...harbor, crisisNote: null }, facts('confirm'))
  expect(mail.text).not.toMatch(/\n\n\n/)
  expect(mail.html).not.toContain('null')
})

function facts(kind: NoticeFacts['kind']): NoticeFacts {
  const url = 'https://groups.harbor.test/act/token'
  return { id: 'n-1', kind, to: 'ada@sample.test', name: 'Ada', discreet: false, url, unsubscribeUrl: null }
}
