import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { parse } from 'node-html-parser'
import type { Browser, Page } from 'playwright-core'
import { type MailPage, openPage } from './chromium.ts'
import { counted, type Finding, measured } from './finding.ts'
import { dense, type Mail } from './mail.ts'

type Way = { as: string; wide: number; dark?: boolean; styles?: false; images?: false; axe?: string }

/** Landmarks are off: webmail adds its own around an email. Target size is on: links are tapped with thumbs. */
const EVERY_RULE = `{ rules: { 'landmark-one-main': { enabled: false }, region: { enabled: false }, 'target-size': { enabled: true } } }`
/** The same email in another look can fail these only. */
const OF_LOOKS = `{ runOnly: ['color-contrast', 'link-in-text-block', 'target-size'] }`

/** Ways in which people view an email. At 200% zoom, a window of 640 pixels shows 320. */
const WAYS: Way[] = [
  { as: 'phone, light', wide: 375, axe: EVERY_RULE },
  { as: 'phone, dark', wide: 375, dark: true, axe: OF_LOOKS },
  { as: 'desktop, dark', wide: 640, dark: true, axe: OF_LOOKS },
  { as: 'desktop, light', wide: 640, axe: OF_LOOKS },
  { as: '200 % zoom', wide: 320 },
  { as: 'images off', wide: 375, images: false },
  { as: 'no <style>, phone', wide: 375, styles: false },
  { as: 'no <style>, desktop', wide: 640, styles: false },
]

/** What was seen of an email in one way of viewing it. */
type Look = {
  as: string
  dark: boolean
  wide: number
  width: number
  words: string
  all: string
  bright: string[]
  axe: string[]
}

/** Views each email in every way, with `atOnce` pages in parallel. */
export async function appearance(browser: Browser, mails: readonly Mail[], atOnce = 3): Promise<Finding[]> {
  const waiting = [...mails]
  const findings = new Map<string, Finding[]>()
  const reader = async () => {
    const opened = await openPage(browser)
    await loadAxe(opened.page)
    for (let mail = waiting.shift(); mail; mail = waiting.shift()) {
      const looks = await lookAt(opened, mail)
      findings.set(mail.name, faultsSeen(mail, looks, opened.wanted.splice(0)))
    }
    await opened.page.context().close()
  }
  await Promise.all(Array.from({ length: atOnce }, reader))
  return mails.flatMap(({ name }) => findings.get(name) ?? [])
}

/** The faults in what was seen. `wanted`: the addresses that the email tried to fetch. */
function faultsSeen({ name, email }: Mail, looks: readonly Look[], wanted: readonly string[]): Finding[] {
  const [first] = looks
  const wide = looks
    .map(({ as, wide, width }) => ({ as, over: width - wide }))
    .reduce((a, b) => (b.over > a.over ? b : a))
  const parsed = dense(parse(email.html).querySelector('body')?.text ?? '')
  return [
    counted(
      'axe-core, 375 and 640, light and dark',
      name,
      looks.flatMap(({ as, axe }) => axe.map((fault) => `${as}: ${fault}`)),
    ),
    counted(
      'bright leftovers in the dark',
      name,
      looks.flatMap(({ as, bright }) => bright.map((one) => `${as}: ${one}`)),
    ),
    measured('sideways scroll, pixels', name, {
      figure: wide.over,
      limit: 0,
      says: `${wide.over} pixels, ${wide.as}`,
    }),
    counted(
      'same words in every look',
      name,
      looks.filter(({ words }) => words !== first?.words).map(({ as }) => as),
    ),
    counted(
      'same words by a second parser',
      name,
      dense(first?.all ?? '') === parsed ? [] : [difference(dense(first?.all ?? ''), parsed)],
    ),
    counted('fetches nothing from elsewhere', name, wanted),
  ]
}

/** Stays when the content of the page is set anew. By the debugger: Playwright would take twice as long over its 600 KB. */
async function loadAxe(page: Page): Promise<void> {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
  const debug = await page.context().newCDPSession(page)
  await debug.send('Runtime.evaluate', { expression: await readFile(axe, 'utf8') })
}

async function lookAt({ page, images }: MailPage, { email: { html }, publicUrl }: Mail): Promise<Look[]> {
  const looks: Look[] = []
  for (const { as, wide, dark = false, styles, images: on = true, axe: rules } of WAYS) {
    await page.setViewportSize({ width: wide, height: 800 })
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
    if (looks.length === 0 || (images.on !== on && html.includes('<img'))) {
      Object.assign(images, { on, under: publicUrl })
      await page.setContent(html, { waitUntil: 'load' })
    }
    if (styles === false)
      await page.evaluate("document.querySelectorAll('style').forEach((style) => style.remove())")
    const { width, words, all, bright } = await page.evaluate<Measured>(MEASURE)
    const { violations } = rules ? await page.evaluate<AxeResults>(`axe.run(${rules})`) : { violations: [] }
    looks.push({
      as,
      dark,
      wide,
      width,
      all,
      words: words.replace(/\s+/g, ' ').trim(),
      bright: dark ? bright : [],
      axe: violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) =>
          `${id}: ${target.join(' ')} ${failureSummary}`.replace(/\s+/g, ' '),
        ),
      ),
    })
  }
  return looks
}

type Measured = { width: number; words: string; all: string; bright: string[] }

/**
 * Runs in the page. It is a string because Node's types do not know `document`. Content cut off at the edge counts as
 * scrolling. Bright means more than half the luminance of white on more than 5,000 square pixels; buttons do not count, nor does the plate behind a logo,
 * which may be dark.
 */
const MEASURE = `(() => {
  const light = (color) => {
    const [r, g, b, a = 1] = (color.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number)
    return a < 0.1 ? 0 : 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const isButton = (e) => {
    const links = e.querySelectorAll('a')
    return e.closest('a') || (links.length === 1 && links[0].textContent.trim() === e.textContent.trim())
  }
  const bright = [...document.querySelectorAll('*')].filter((e) => {
    const { width, height } = e.getBoundingClientRect()
    return width * height > 5000 && light(getComputedStyle(e).backgroundColor) > 128 && !isButton(e) && !e.matches('img.logo')
  })
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches && light(getComputedStyle(document.body).backgroundColor) === 0
    && light(getComputedStyle(document.documentElement).backgroundColor) === 0
    && !getComputedStyle(document.documentElement).colorScheme.includes('dark')
  const rights = [...document.body.querySelectorAll('*')].map((e) => {
    const { right, width, height } = e.getBoundingClientRect()
    return width > 1 && height > 1 ? Math.floor(right) : 0
  })
  const name = (e) => e.tagName.toLowerCase() + (e.className ? '.' + e.className.split(' ').join('.') : '')
  return {
    width: Math.max(document.scrollingElement.scrollWidth, ...rights),
    words: document.body.innerText,
    all: document.body.textContent,
    bright: [...new Set(bright.map(name)), ...(canvas ? ['the page behind the email'] : [])],
  }
})()`

function difference(a: string, b: string): string {
  let at = 0
  while (a.charAt(at) === b.charAt(at)) at += 1
  return `the browser reads …${a.slice(at, at + 40)}…, the parser …${b.slice(at, at + 40)}…`
}
