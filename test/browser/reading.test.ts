import { expect, test } from '@jest/globals'
import { planNow, type TestApp } from '../app.ts'
import { aServedApp } from './served.ts'
import { realBrowser } from './visit.ts'

const openVisit = realBrowser()
const SLOW_MS = 120_000

/** Pages by name; each may be wider than a phone, but not than the screen. */
const pagesOf = async (app: TestApp): Promise<string[]> => [
  '/',
  '/sessions',
  '/sessions?zones=all',
  '/sessions?topic=grief-and-loss',
  `/editions/${await planNow(app)}`,
  '/groups/1',
  '/nowhere',
]

test(
  'the field and the button to sign up are on the first screen of a phone and of a desktop',
  async () => {
    const { url } = await aServedApp()
    const { page } = await openVisit(url, { script: true })
    for (const lang of ['en', 'es'])
      for (const [width, height] of [
        [375, 812],
        [1280, 800],
      ] as const) {
        await page.setViewportSize({ width, height })
        await page.goto(`${url}/?lang=${lang}`)
        for (const part of ['#email', 'form.join > button']) {
          const box = await page.locator(part).boundingBox()
          expect([lang, width, part, (box?.y ?? height) + (box?.height ?? 0) <= height]).toEqual([
            ...[lang, width, part, true],
          ])
        }
      }
  },
  SLOW_MS,
)

test(
  'the first time to reserve is on the first screen of a phone',
  async () => {
    const { url } = await aServedApp()
    const { page } = await openVisit(url, { script: true })
    await page.setViewportSize({ width: 375, height: 812 })
    for (const lang of ['en', 'es']) {
      await page.goto(`${url}/sessions?lang=${lang}`)
      const button = await page.locator('.time .button').first().boundingBox()
      expect([lang, (button?.y ?? 812) + (button?.height ?? 0) <= 700]).toEqual([lang, true])
    }
  },
  SLOW_MS,
)

test(
  'with text at 200 % no page is wider than a phone, and none at any other width',
  async () => {
    const { app, url } = await aServedApp()
    const { page } = await openVisit(url, { script: true })
    for (const path of await pagesOf(app)) {
      for (const lang of ['en', 'es']) {
        await page.goto(`${url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`)
        for (const [width, text] of [
          [320, '100%'],
          [375, '200%'],
          [640, '200%'],
          [1280, '200%'],
        ] as const) {
          await page.setViewportSize({ width, height: 812 })
          await page.evaluate(`document.documentElement.style.fontSize = '${text}'`)
          const widest = await page.evaluate<number>('document.scrollingElement.scrollWidth')
          expect([path, lang, text, widest <= width]).toEqual([path, lang, text, true])
        }
        await page.evaluate("document.documentElement.style.fontSize = ''")
      }
    }
  },
  SLOW_MS,
)
