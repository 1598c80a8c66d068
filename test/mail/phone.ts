import type { Browser, Page } from 'playwright-core'
import { openPage } from './chromium.ts'
import { type Finding, measured } from './finding.ts'
import { type Mail } from './mail.ts'

/** A usual phone. */
const PHONE = { width: 375, height: 812 }

/** What thirteen sessions may take, with a sentence about each group. Spanish needs more words. */
const TALLEST = { en: 2400, es: 2700 }
const ON_FIRST_SCREEN = 4

/**
 * Measures how far a reader scrolls on a phone, and how many sessions they see before. The font is the one that the system has
 * for Helvetica, usually Liberation Sans: it is as wide as Arial, and a little wider than the fonts of phones.
 */
export async function phoneFit(browser: Browser, mails: readonly Mail[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { name, language, email } of mails.filter(({ size }) => size === 'week')) {
    const { page } = await openPage(browser)
    await page.setViewportSize(PHONE)
    await page.setContent(email.html)
    const { height, seen } = await page.evaluate<{ height: number; seen: number }>(MEASURE)
    const font = await fontOf(page)
    await page.context().close()
    findings.push(
      measured(`13 sessions on a phone, pixels (${language})`, name, {
        figure: height,
        limit: TALLEST[language],
        says: `${height} pixels in ${font}`,
      }),
      measured('sessions below the first screen', name, {
        figure: Math.max(0, ON_FIRST_SCREEN - seen),
        limit: 0,
        says: `only ${seen} of ${ON_FIRST_SCREEN} sessions are on the first screen, in ${font}`,
      }),
    )
  }
  return findings
}

/** A session is seen when its button and its line of facts are. It is a string as Node's types do not know `document`. */
const MEASURE = `({
  height: document.documentElement.scrollHeight,
  seen: [...document.querySelectorAll('a.button')].filter((button) => {
    const facts = button.closest('tr').nextElementSibling.querySelector('div')
    return Math.max(button.getBoundingClientRect().bottom, facts.getBoundingClientRect().bottom) <= ${PHONE.height}
  }).length,
})`

/** The font that is really used, by the debugger. */
async function fontOf(page: Page): Promise<string> {
  const debug = await page.context().newCDPSession(page)
  await debug.send('DOM.enable')
  await debug.send('CSS.enable')
  const { root } = await debug.send('DOM.getDocument')
  const { nodeId } = await debug.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'h3' })
  const { fonts } = await debug.send('CSS.getPlatformFontsForNode', { nodeId })
  return fonts[0]?.familyName ?? 'an unknown font'
}
