import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { chromium, findOrInstallProgram } from '../../src/machine/find-program.ts'

/** A browser page. Pictures from `images.under` are shown while they are `on`; `wanted` lists what else it tried to fetch. */
export type MailPage = { page: Page; wanted: string[]; images: { on: boolean; under: string } }

// Without calls home for updates or lists, and with the colors of the style sheet on any screen.
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--force-color-profile=srgb',
]

/** A bright rectangle in place of our own pictures, such as a practice's logo. */
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60"><rect width="240" height="60" fill="#3a7" /></svg>`

/** Opens the system's Chromium; installs it if it is missing and we may. Close it after use. */
export async function openBrowser(): Promise<Browser> {
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  return playwright.launch({ executablePath: await findOrInstallProgram(chromium, say), args: QUIET })
}

/** A page without network. Pictures that are shown are a stand-in; other requests fail. */
export async function openPage(browser: Browser, publicUrl = '', scale = 1): Promise<MailPage> {
  const context = await browser.newContext({ timezoneId: 'UTC', deviceScaleFactor: scale })
  const page = await context.newPage()
  const wanted: string[] = []
  const images = { on: true, under: publicUrl }
  await page.route('**/*', (route) => {
    const url = route.request().url()
    const ours = url.startsWith(`${images.under}/`)
    if (!ours) wanted.push(url)
    return ours && images.on ? route.fulfill({ contentType: 'image/svg+xml', body: PICTURE }) : route.abort()
  })
  return { page, wanted, images }
}
