import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { openBrowser, openPage } from './chromium.ts'
import { contactSheet, type Picture } from './contact-sheet.ts'
import type { Mail } from './mail.ts'
import { everyMail } from './variants.ts'

const LOOKS = [
  { look: 'phone, light', wide: 375, dark: false },
  { look: 'phone, dark', wide: 375, dark: true },
  { look: 'desktop, light', wide: 760, dark: false },
  { look: 'desktop, dark', wide: 760, dark: true },
]

/** As on a phone with a high-resolution screen. */
const DEVICE_SCALE = 2

/** Takes screenshots of every kind of email, in each language and look, and puts them together in `index.html` and `sheet.png`. */
export async function drawGallery(
  browser: Browser,
  folder: string,
  mails: readonly Mail[],
): Promise<Picture[]> {
  await mkdir(folder, { recursive: true })
  const halves = [0, 1].map((half) => mails.filter((_, place) => place % 2 === half))
  const drawn = await Promise.all(halves.map((some) => draw(browser, folder, some)))
  const placeOf = ({ mail }: Picture) => mails.indexOf(mail)
  const pictures = drawn.flat().sort((a, b) => placeOf(a) - placeOf(b))
  const sheet = join(folder, 'index.html')
  await writeFile(sheet, contactSheet(pictures))
  await photograph(browser, sheet, join(folder, 'sheet.png'))
  return pictures
}

async function draw(browser: Browser, folder: string, mails: readonly Mail[]): Promise<Picture[]> {
  const pictures: Picture[] = []
  for (const mail of mails) {
    const { page } = await openPage(browser, mail.publicUrl, DEVICE_SCALE)
    await page.setContent(mail.email.html, { waitUntil: 'load' })
    for (const { look, wide, dark } of LOOKS) {
      await page.setViewportSize({ width: wide, height: 200 })
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      const file = `${mail.name}-${look.replace(', ', '-')}.png`
      await page.screenshot({ path: join(folder, file), fullPage: true })
      pictures.push({ mail, look, file, wide })
    }
    await page.context().close()
  }
  return pictures
}

async function photograph(browser: Browser, sheet: string, file: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  await page.goto(pathToFileURL(sheet).href)
  const width = await page.evaluate<number>('document.body.offsetWidth + 48')
  await page.setViewportSize({ width, height: 800 })
  await page.screenshot({ path: file, fullPage: true })
  await page.close()
}

async function gallery(folder: string): Promise<void> {
  const mails = await everyMail((name) => /-typical$|^digest-en-branded$/.test(name))
  const browser = await openBrowser()
  try {
    const pictures = await drawGallery(browser, folder, mails)
    const [page, picture] = ['index.html', 'sheet.png'].map((file) => join(folder, file))
    console.log(`${pictures.length} pictures; see ${page} and ${picture}`)
  } finally {
    await browser.close()
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  await gallery(resolve(process.argv[2] ?? 'gallery'))
