import { expect, test } from '@jest/globals'
import { loadCatalogs } from '../../templates/catalogs.ts'
import { timeZones } from '../time/time-zones.ts'
import { CRISIS_LINES, type CrisisLine, crisisView } from './crisis.ts'
import { translatorFor } from './words.ts'

const words = await loadCatalogs()
const viewOf = (timeZone: string | null, locale = 'en-US', setting: CrisisLine = 'us') =>
  crisisView(setting, timeZone, translatorFor(words, locale))
const linksOf = (timeZone: string | null, locale?: string, setting?: CrisisLine) =>
  viewOf(timeZone, locale, setting)?.parts.flatMap(({ href }) => href ?? [])

test.each([
  ['America/Chicago', ['tel:988', 'sms:988', 'tel:911']],
  ['US/Eastern', ['tel:988', 'sms:988', 'tel:911']],
  ['America/Puerto_Rico', ['tel:988', 'sms:988', 'tel:911']],
  ['America/Toronto', ['tel:988', 'sms:988', 'tel:911']],
  ['Europe/London', ['tel:116123', 'tel:999']],
  ['Europe/Dublin', ['tel:116123', 'tel:112']],
  ['Australia/Perth', ['tel:131114', 'sms:0477131114', 'tel:000']],
  ['Pacific/Auckland', ['tel:1737', 'sms:1737', 'tel:111']],
  ['America/Tijuana', ['tel:8009112000', 'tel:911']],
  ['Atlantic/Canary', ['tel:024', 'tel:112']],
  ['America/Sao_Paulo', ['tel:188', 'tel:192']],
  ['America/Santiago', ['tel:*4141', 'tel:131']],
  ['Europe/Berlin', ['tel:08001110111', 'tel:112']],
  ['Europe/Paris', ['tel:3114', 'tel:112']],
  ['Asia/Calcutta', ['tel:14416', 'tel:112']],
  ['Asia/Tokyo', ['https://findahelpline.com']],
  ['America/Bogota', ['https://findahelpline.com']],
])('a reader in %s is given the line of that country, whatever the practice has set', (zone, links) => {
  expect(linksOf(zone)).toEqual(links)
  expect(linksOf(zone, 'es', 'au')).toEqual(links)
})

test.each([null, 'UTC', 'Etc/GMT+5'])('for a reader in %s the line of CRISIS_LINE is named', (zone) => {
  expect(linksOf(zone, 'en', 'nz')).toEqual(['tel:1737', 'sms:1737', 'tel:111'])
})

test('turned off it is off for everyone', () => {
  expect([null, 'America/Chicago', 'Asia/Tokyo'].map((zone) => viewOf(zone, 'en', 'off'))).toEqual([
    null,
    null,
    null,
  ])
})

test('the words say the need, the numbers and the emergency number', () => {
  expect(viewOf('America/Chicago')?.plain).toBe(
    'Need to talk to someone right now? Call 988 or text 988, free, any time (US). If you or someone else is in danger, call 911.',
  )
  expect(viewOf('America/Chicago', 'es')?.plain).toContain(
    'Llama al 988 y oprime 2, o envía la palabra AYUDA por mensaje de texto al 988.',
  )
  expect(viewOf('Europe/London', 'es-MX')?.plain).toContain(
    'Llama a Samaritans, al 116 123. Es gratis, a cualquier hora (Reino Unido). Atienden en inglés.',
  )
  expect(viewOf('America/Mexico_City')?.plain).toContain('They answer in Spanish.')
  expect(viewOf('America/Mexico_City', 'es')?.plain).not.toContain('Atienden')
  expect(viewOf('Asia/Tokyo')?.plain).toContain('call your local emergency number')
})

test.each(['en', 'es'])(
  'in %s every zone and every setting has whole words, and links that can be used',
  (locale) => {
    const views = [
      ...timeZones().map((zone) => viewOf(zone, locale)),
      ...CRISIS_LINES.filter((line) => line !== 'off').map((line) => viewOf(null, locale, line)),
    ]
    for (const view of views) {
      expect(view?.plain).not.toMatch(/undefined|none|\{|<| {2}/)
      const links = view?.parts.flatMap(({ href }) => href ?? []) ?? []
      expect(links.length).toBeGreaterThan(0)
      for (const link of links) expect(link).toMatch(/^(tel|sms):[*\d]{3,}$|^https:\/\/findahelpline\.com$/)
    }
  },
)
