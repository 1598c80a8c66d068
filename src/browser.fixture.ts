import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect } from '@jest/globals'
import type { AxeResults } from 'axe-core'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { chromium, findOrInstallProgram } from './find-program.ts'
import { afterTest } from './testing.ts'

/** How somebody comes: `wide` is in CSS pixels; without `script` the browser runs none. */
export type Visitor = { script: boolean; wide: number; look: 'light' | 'dark' }

export type Visit = Awaited<ReturnType<ReturnType<typeof realBrowser>>>

const INSTALL_MS = 300_000
const MOST_BYTES = 50_000
// It talks to nobody but our server, and asks no other host for updates or lists.
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * One Chromium for all tests of the file: the system's, which is installed first when it is missing, as Redis is
 * (src/dev/test-redis.ts). Returns what opens a visit: a browser profile of its own, closed after the test.
 */
export function realBrowser() {
  let browser: Browser
  let axe: string
  beforeAll(async () => {
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const executablePath = await findOrInstallProgram(chromium, say)
    browser = await playwright.launch({ executablePath, args: QUIET })
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  }, INSTALL_MS)
  afterAll(() => browser?.close())

  return async (url: string, { script, wide, look }: Visitor) => {
    const context = await browser.newContext({
      javaScriptEnabled: script,
      viewport: { width: wide, height: 800 },
      colorScheme: look,
      timezoneId: 'America/Chicago',
    })
    afterTest(() => context.close())
    const page = await context.newPage()
    const heard = watch(page, url)
    await page.goto(url)

    /** Expects the page that is open, with this heading, to be one that everybody can read. */
    const sees = async (heading: string) => {
      expect(await page.locator('h1').innerText()).toBe(heading)
      expect(heard()).toEqual([])
      expect(await context.cookies()).toEqual([])
      const { width, inner, bytes } = await page.evaluate<Measured>(MEASURE)
      expect(width).toBeLessThanOrEqual(inner)
      expect(bytes).toBeGreaterThan(1_000)
      expect(bytes).toBeLessThan(MOST_BYTES)
      if (script) expect(await faults(page, axe)).toEqual([])
    }
    return { page, sees }
  }
}

/** Returns what the browser complained of since it was last asked, and what it wanted from anyone but `url`. */
function watch(page: Page, url: string): () => string[] {
  const heard: string[] = []
  page.on('pageerror', (error) => heard.push(String(error)))
  page.on('console', (message) => {
    // Chromium also says so of a page that is answered with 404, which is meant.
    const ofPage =
      message.text().startsWith('Failed to load resource') && message.location().url === page.url()
    if (['error', 'warning'].includes(message.type()) && !ofPage) heard.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) heard.push(`asked for ${request.url()}`)
  })
  return () => heard.splice(0)
}

/** Runs in the page; text, since its `document` is unknown to the types of Node. */
const MEASURE = `({
  width: document.scrollingElement.scrollWidth,
  inner: innerWidth,
  bytes: performance.getEntries().reduce((sum, { decodedBodySize = 0 }) => sum + decodedBodySize, 0),
})`

type Measured = Record<'width' | 'inner' | 'bytes', number>

async function faults(page: Page, axe: string): Promise<string[]> {
  // Evaluated, not added as an element, which the policy of our pages would keep out.
  await page.evaluate(axe)
  // The hundreds of zones in a closed list would take most of the time; the browser draws them, not we.
  const { violations } = await page.evaluate<AxeResults>("axe.run({ exclude: ['optgroup'] })")
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  )
}
