import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect } from '@jest/globals'
import type { AxeResults } from 'axe-core'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { chromium, findOrInstallProgram } from '../../src/machine/find-program.ts'
import { afterTest } from '../app.ts'

/** The visitor's browser; without `script` it runs no JavaScript. */
export type Visitor = {
  script: boolean
  /** The cookie that a page may set; none, unless it is an operator's. */
  cookie?: string
}

export type Visit = Awaited<ReturnType<ReturnType<typeof realBrowser>>>

const INSTALL_MS = 300_000
/** How every page is looked at; `width` is in CSS pixels. */
const LOOKS = [
  { width: 375, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const
const HEIGHT = 800
const STEP_MS = 10_000
const MOST_BYTES = 60_000
// It connects only to our server, and asks no other host for updates or lists.
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--renderer-process-limit=1',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * One Chromium for all tests of the file: the system's, which is installed first when it is missing, as Redis is
 * (test/setup.ts). Returns what opens a visit: a browser profile of its own, closed after the test.
 */
export function realBrowser() {
  let browser: Browser
  let axe: string
  const judged = new Set<string>()
  beforeAll(async () => {
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const executablePath = await findOrInstallProgram(chromium, say)
    browser = await playwright.launch({ executablePath, args: QUIET })
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  }, INSTALL_MS)
  afterAll(() => browser?.close())

  return async (url: string, { script, cookie }: Visitor) => {
    const context = await browser.newContext({
      javaScriptEnabled: script,
      timezoneId: 'America/Chicago',
    })
    afterTest(() => context.close())
    context.setDefaultTimeout(STEP_MS)
    const page = await context.newPage()
    const debug = await context.newCDPSession(page)
    const heard = watch(page, url)
    const turnTo = async ({ width, colorScheme }: (typeof LOOKS)[number]) => {
      await page.setViewportSize({ width, height: HEIGHT })
      await page.emulateMedia({ colorScheme })
    }
    let looks: (typeof LOOKS)[number][] = [...LOOKS]
    await turnTo(LOOKS[0])
    await page.goto(url)

    /**
     * Expects the page that is open, with this heading, to be one that everybody can read in every look. The last look
     * stays, so that one page is left in each, in turn.
     */
    const sees = async (heading: string) => {
      expect(await page.locator('h1').innerText()).toBe(heading)
      expect(heard()).toEqual([])
      for (const { name, httpOnly } of await context.cookies())
        expect({ name, httpOnly }).toEqual({ name: cookie ?? 'no cookie', httpOnly: true })
      // Evaluated, not added as an element, which the policy of our pages would keep out.
      // By the debugger, as Playwright would take twice as long over its 600 KB.
      // Another visitor would get the same result on the same page.
      const view = heading + new URL(page.url()).search
      const isNew = script && !judged.has(view)
      judged.add(view)
      if (isNew) await debug.send('Runtime.evaluate', { expression: axe })
      for (const [turn, look] of looks.entries()) {
        if (turn > 0) await turnTo(look)
        const { width, inner, dark, bytes } = await page.evaluate<Measured>(MEASURE)
        expect({ inner, dark }).toEqual({ inner: look.width, dark: look.colorScheme === 'dark' })
        expect(width).toBeLessThanOrEqual(inner)
        expect(bytes).toBeGreaterThan(1_000)
        expect(bytes).toBeLessThan(MOST_BYTES)
        if (isNew) expect(await faults(page, turn === 0 ? EVERY_RULE : OF_COLOR)).toEqual([])
      }
      looks = looks.toReversed()
    }
    return { page, sees }
  }
}

/** Presses the button or link of this name, and waits for the page that it leads to. */
export async function press(page: Page, name: string): Promise<void> {
  const [button, link] = [
    page.getByRole('button', { name, exact: true }),
    page.getByRole('link', { name, exact: true }),
  ]
  await Promise.all([page.waitForEvent('load'), button.or(link).click()])
}

/** Returns the browser's complaints since the last call, and its requests to anything but `url`. */
function watch(page: Page, url: string): () => string[] {
  const heard: string[] = []
  page.on('pageerror', (error) => heard.push(String(error)))
  page.on('console', (message) => {
    // Chromium also complains about an intended 404.
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
  dark: matchMedia('(prefers-color-scheme: dark)').matches,
  bytes: performance.getEntries().reduce((sum, { decodedBodySize = 0 }) => sum + decodedBodySize, 0),
})`

type Measured = Record<'width' | 'inner' | 'bytes', number> & { dark: boolean }

const EVERY_RULE = "{ resultTypes: ['violations'] }"
/** A page has the same words in its other look, so only these rules can give different results. */
const OF_COLOR =
  "{ resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block', 'target-size'] }"

async function faults(page: Page, options: string): Promise<string[]> {
  // The hundreds of zones in a closed list would take most of the time; the browser draws them, not we.
  const { violations } = await page.evaluate<AxeResults>(`axe.run({ exclude: ['optgroup'] }, ${options})`)
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  )
}
