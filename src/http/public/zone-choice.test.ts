import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { type HTMLElement, parse } from 'node-html-parser'
import { testApp } from '../../../test/app.ts'
import { translatorFor } from '../../core/words/words.ts'
import { buildServer } from '../server.ts'
import { zoneGroups } from './zone-choice.ts'

const valueOf = (option: HTMLElement) => option.getAttribute('value') ?? ''

/** What the script on the page does with its select in a browser that reports `timeZone`. */
function chosenBy(file: 'join.js' | 'zone.js', timeZone: string, page: HTMLElement): string {
  const options = page.querySelectorAll('#tz option').map((option) => ({
    value: valueOf(option),
    dataset: { was: option.getAttribute('data-was') },
    selected: option.hasAttribute('selected'),
  }))
  const select = {
    ...{ options, dataset: {}, closest: () => ({}) },
    value: options.find(({ selected }) => selected)?.value ?? '',
  }
  const world = createContext({
    URL,
    location: {
      href: 'https://groups.harbor.test/sessions',
      replace: (url: URL) => void (select.value = url.searchParams.get('tz') ?? ''),
    },
    document: {
      getElementById: () => select,
      querySelector: () => ({ elements: { tz: select } }),
    },
    Intl: {
      DateTimeFormat: class {
        resolvedOptions = () => ({ timeZone })
      },
    },
  })
  const factory =
    'const before = Intl.DateTimeFormat; Intl.DateTimeFormat = function () { return new before() };'
  const source = readFileSync(new URL(`../../../templates/pages/${file}`, import.meta.url), 'utf8')
  runInContext(`{${factory}${source}}`, world)
  return select.value
}

test('a browser has its own zone chosen, whichever name it has for it, and none that the form refuses', async () => {
  const server = await buildServer(await testApp())
  const pageAt = async (url: string) => parse((await server.inject(url)).body)
  const [home, sessions] = [await pageAt('/'), await pageAt('/sessions?zones=all')]
  for (const [reported, zone] of [
    ['America/Chicago', 'America/Chicago'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['Europe/Kiev', 'Europe/Kyiv'],
    ['America/Indianapolis', 'America/Indiana/Indianapolis'],
    ['EST5EDT', 'America/New_York'],
    ['PST8PDT', 'America/Los_Angeles'],
    ['+00:00', 'America/New_York'],
    ['Factory', 'America/New_York'],
  ] as const) {
    const page = await pageAt(`/sessions?tz=${encodeURIComponent(reported)}`)
    const selected = page.querySelectorAll('option[selected]').map(valueOf)
    const chosen = [chosenBy('join.js', reported, home), chosenBy('zone.js', reported, sessions), ...selected]
    expect([reported, ...chosen]).toEqual([reported, zone, zone, zone])
  }

  const options = (await pageAt('/sessions?tz=Europe/Kiev&zones=all')).querySelectorAll('#tz option')
  const names = options.map((option) => option.textContent.trim())
  expect(names.filter((name) => /Kiev|Calcutta|Saigon/.test(name))).toEqual([])
  expect(new Set(options.map(valueOf)).size).toBe(options.length)
  expect(options.map(valueOf)).toContain('Europe/Kyiv')
})

test('the list begins with the United States, Canada and Mexico, and names no stations in Antarctica', async () => {
  const { words } = (await testApp()).templates
  const inEnglish = (asked: string) => zoneGroups(asked, translatorFor(words, 'en'))
  const groups = inEnglish('America/New_York')
  expect(groups.map(({ label }) => label)).toEqual(
    ['United States', 'Canada', 'Mexico', 'Africa', 'America', 'Arctic', 'Asia', 'Atlantic'].concat(
      ...[['Australia', 'Europe', 'Indian Ocean', 'Other', 'Pacific']],
    ),
  )
  const [states, canada, mexico, ...others] = groups.map(({ zones }) => zones.map(({ zone }) => zone))
  expect(states?.slice(0, 2)).toEqual(['America/New_York', 'America/Chicago'])
  expect(states).toEqual(expect.arrayContaining(['America/Boise', 'Pacific/Honolulu', 'America/Detroit']))
  expect(canada).toEqual(expect.arrayContaining(['America/Toronto', 'America/St_Johns', 'America/Vancouver']))
  expect(mexico).toEqual(expect.arrayContaining(['America/Mexico_City', 'America/Tijuana']))
  const elsewhere = others.flat()
  expect(elsewhere.filter((zone) => /Boise|Toronto|Cancun|Antarctica/.test(zone))).toEqual([])
  expect(elsewhere).toEqual(expect.arrayContaining(['America/Bogota', 'Europe/London', 'UTC']))
  const there = inEnglish('Antarctica/Troll').flatMap(({ zones }) => zones)
  expect(there.filter(({ zone }) => zone.startsWith('Antarctica'))).toMatchObject([
    { zone: 'Antarctica/Troll', selected: true },
  ])
})
