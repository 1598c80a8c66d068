import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { Catalog } from '../words/words.ts'
import { translatorFor } from '../words/words.ts'
import { timeZones } from './time-zones.ts'
import { CLOCK_OF, UNITED_STATES, zoneOfStates, zonePlace, zoneTitle } from './zone-titles.ts'

const catalogOf = (language: string): Catalog =>
  JSON.parse(readFileSync(new URL(`../../../templates/words/${language}.json`, import.meta.url), 'utf8'))
const catalogs = { en: catalogOf('en'), es: catalogOf('es'), fr: { ...catalogOf('en'), locale: 'fr-FR' } }
const english = translatorFor(catalogs, 'en')
const spanish = translatorFor(catalogs, 'es-MX')

test.each([
  ['America/New_York', 'Eastern Time', 'hora del Este'],
  ['US/Eastern', 'Eastern Time', 'hora del Este'],
  ['America/Chicago', 'Central Time', 'hora del Centro'],
  ['America/Denver', 'Mountain Time', 'hora de la Montaña'],
  ['America/Los_Angeles', 'Pacific Time', 'hora del Pacífico'],
  ['America/Anchorage', 'Alaska Time', 'hora de Alaska'],
  ['Pacific/Honolulu', 'Hawaii Time', 'hora de Hawái'],
  ['America/Phoenix', 'Arizona Time', 'hora de Arizona'],
  ['America/Puerto_Rico', 'Puerto Rico Time', 'hora de Puerto Rico'],
  ['America/St_Johns', 'Newfoundland Time', 'hora de Terranova'],
  ['America/Regina', 'Saskatchewan Time', 'hora de Saskatchewan'],
  ['America/Toronto', 'Eastern Time', 'hora del Este'],
  // Their clocks no longer change, so they are not those of Los Angeles and Denver.
  ['America/Vancouver', 'Vancouver Time', 'hora de Vancouver'],
  ['America/Edmonton', 'Edmonton Time', 'hora de Edmonton'],
  ['America/Mexico_City', 'Mexico City Time', 'hora de Ciudad de México'],
  ['America/Cancun', 'Cancún Time', 'hora de Cancún'],
  ['America/Bogota', 'Colombia Time', 'hora de Colombia'],
  ['America/Argentina/Buenos_Aires', 'Buenos Aires Time', 'hora de Buenos Aires'],
  ['America/Santo_Domingo', 'Dominican Republic Time', 'hora de la República Dominicana'],
  ['Atlantic/Canary', 'Canary Islands Time', 'hora de las Islas Canarias'],
  ['Europe/London', 'London Time', 'hora de Londres'],
  ['Europe/Madrid', 'Spain Time', 'hora de España'],
  ['Asia/Kolkata', 'India Time', 'hora de la India'],
  ['Asia/Calcutta', 'India Time', 'hora de la India'],
  ['Asia/Hong_Kong', 'Hong Kong Time', 'hora de Hong Kong'],
  ['Australia/Sydney', 'Sydney Time', 'hora de Sídney'],
  ['UTC', 'UTC', 'UTC'],
  ['Etc/GMT+5', 'GMT-5', 'GMT-5'],
])('in %s people say %s, %s', (zone, inEnglish, inSpanish) => {
  expect([zoneTitle(zone, english), zoneTitle(zone, spanish)]).toEqual([inEnglish, inSpanish])
})

test.each([
  ['America/Mexico_City', 'Mexico City', 'Ciudad de México'],
  ['America/New_York', 'New York', 'Nueva York'],
  ['America/Bogota', 'Colombia (Bogotá)', 'Colombia (Bogotá)'],
  ['America/Havana', 'Cuba (Havana)', 'Cuba (La Habana)'],
  ['America/Port-au-Prince', 'Haiti (Port-au-Prince)', 'Haití (Puerto Príncipe)'],
  ['America/Argentina/San_Juan', 'San Juan, Argentina', 'San Juan, Argentina'],
  ['America/Indiana/Knox', 'Knox, Indiana', 'Knox, Indiana'],
  ['America/St_Johns', 'St. John’s', 'San Juan de Terranova'],
  ['America/Panama', 'Panama', 'Panamá'],
  ['Europe/London', 'United Kingdom (London)', 'Reino Unido (Londres)'],
  ['Europe/Copenhagen', 'Denmark (Copenhagen)', 'Dinamarca (Copenhague)'],
  ['Africa/Accra', 'Accra', 'Ghana'],
  ['Asia/Tokyo', 'Japan (Tokyo)', 'Japón (Tokio)'],
  ['UTC', 'UTC', 'UTC'],
])('%s is listed as %s, %s', (zone, inEnglish, inSpanish) => {
  expect([zonePlace(zone, english), zonePlace(zone, spanish)]).toEqual([inEnglish, inSpanish])
})

test('the zones of the United States are listed by their clocks', () => {
  expect(UNITED_STATES.map((zone) => zoneOfStates(zone, english))).toEqual([
    ...['Eastern Time (New York)', 'Central Time (Chicago)', 'Mountain Time (Denver)'],
    ...['Arizona Time (Phoenix)', 'Pacific Time (Los Angeles)', 'Alaska Time (Anchorage)'],
    'Hawaii Time (Honolulu)',
  ])
  expect(UNITED_STATES.map((zone) => zoneOfStates(zone, spanish))).toEqual([
    ...['Hora del Este (Nueva York)', 'Hora del Centro (Chicago)', 'Hora de la Montaña (Denver)'],
    ...['Hora de Arizona (Phoenix)', 'Hora del Pacífico (Los Ángeles)', 'Hora de Alaska (Anchorage)'],
    'Hora de Hawái (Honolulú)',
  ])
})

test('zones with one name show the same time all year', () => {
  for (const zones of Object.values(Object.groupBy(CLOCK_OF.keys(), (zone) => CLOCK_OF.get(zone) ?? ''))) {
    const offsets = zones?.map((timeZone) => {
      const clock = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' })
      const instants = Array.from({ length: 72 }, (_, n) => Date.UTC(2026, 0, 1 + n * 10, 12))
      return instants.map((at) => clock.format(at)).join()
    })
    expect([zones, new Set(offsets).size]).toEqual([zones, 1])
  }
})

test('every zone has a name in each language, and Spanish has no English city', () => {
  for (const zone of timeZones()) {
    for (const translator of [english, spanish]) {
      expect(zoneTitle(zone, translator)).toMatch(/^(.+ Time|hora del? .+|GMT|UTC)$/)
      expect(zonePlace(zone, translator)).toMatch(/^\p{Lu}/u)
    }
  }
  const american = timeZones().filter((zone) => /^(America|Europe)\//.test(zone))
  const places = american.map((zone) => zonePlace(zone, spanish)).join('\n')
  expect(places).not.toMatch(
    /Mexico City|Havana|London|Copenhagen|Lisbon|Rome|Athens|Vienna|Prague|Warsaw|Moscow/,
  )
})

test('a language of the practice has the names of Intl', () => {
  const french = translatorFor(catalogs, 'fr-CA')
  expect(zoneTitle('America/Bogota', french)).toBe('heure : Colombie')
  expect(zonePlace('America/Mexico_City', french)).toBe('Mexico')
  expect(zonePlace('America/Havana', french)).toBe('Cuba (Havana)')
})
