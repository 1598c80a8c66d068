import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { ada, allOffers, harbor, mailTo } from './digest.fixture.ts'
import type { DigestTemplate } from './digest.ts'
import type { Reader } from './letterhead.ts'

/** The template and the messages of the release before sessions were listed by day, as a batch has them frozen. */
const file = new URL('./earlier-digest.fixture.json', import.meta.url)
const template: DigestTemplate = {
  ...(JSON.parse(readFileSync(file, 'utf8')) as DigestTemplate),
  letterhead: harbor,
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const news = ['moved', 'reopened', 'new'] as const
const far: Reader = {
  ...ada,
  locale: 'es-MX',
  timeZone: 'Europe/London',
  more: 2,
  shown: ada.shown.map(({ id }, index) => ({ id, news: news[index] ?? 'new' })),
}

// These sums were made by that release itself. They never change.
test.each([
  [
    'a reader near by',
    ada,
    '72142d72996eeea9186c9fc57e8d2652fce5c83ef5e2b63c32caa8d46537a928',
    'c422a000ce2c871df212242f76afc2c04fe758fb44235c78237d59c9b8baa9ea',
  ],
  [
    'a reader of Spanish far away',
    far,
    '1f2376cbd7cc4a39a79eb54660320e863c733a04e361532053d7daca7ac93d1a',
    '2bc823f5e157d45d3e79ce0fbaf62abc0dede3223fc3788e522ba2d7433bc283',
  ],
])('what an earlier release froze for %s is finished with the same bytes', (_, reader, html, text) => {
  const offers = allOffers.map((offer) => ({ ...offer, topicNames: {} }))
  const mail = mailTo(template, reader, offers)
  expect({ html: sha256(mail.html), text: sha256(mail.text) }).toEqual({ html, text })
})
