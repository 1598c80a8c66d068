import { pathToFileURL } from 'node:url'
import { appearance } from './appearance.ts'
import { blindSpots, clientSupport } from './caniemail.ts'
import { openBrowser } from './chromium.ts'
import type { Finding } from './finding.ts'
import { headerInjection } from './header-injection.ts'
import { headers } from './headers.ts'
import { links } from './links.ts'
import type { Mail } from './mail.ts'
import { markup } from './markup.ts'
import { phoneFit } from './phone.ts'
import { privacy } from './privacy.ts'
import { sameness } from './sameness.ts'
import { size } from './size.ts'
import { spamScores } from './spam-assassin.ts'
import { faultsOf, tableOf } from './table.ts'
import { leftovers, textPart } from './text-part.ts'
import { composeFrom, everyMail } from './variants.ts'

/** Runs every gate on every email: `npm run check:mail [-- PART-OF-A-NAME] [-- --all]`. Exit code 1 if one fails. */
async function checkMail(args: readonly string[]): Promise<boolean> {
  const part = args.find((arg) => !arg.startsWith('--')) ?? ''
  const started = performance.now()
  const mails = await everyMail((name) => name.includes(part))
  if (mails.length === 0) throw new Error(`no email has "${part}" in its name`)
  const findings = await gates(mails)
  const failed = findings.some(({ faults }) => faults.length > 0)
  console.log(`\n${tableOf(findings)}\n`)
  if (failed) console.log(`${faultsOf(findings, args.includes('--all') ? 1000 : undefined)}\n`)
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${mails.length} emails ${failed ? 'did NOT pass' : 'passed'} in ${seconds} s`)
  return !failed
}

async function gates(mails: readonly Mail[]): Promise<Finding[]> {
  const spam = spamScores(mails, 1)
  const seen = lookAtAll(mails)
  const compose = await composeFrom()
  const quick = await Promise.all([
    ...mails.map(async (mail) => [
      ...size(mail),
      ...(await headers(mail)),
      ...privacy(mail),
      ...links(mail),
      ...leftovers(mail),
      ...textPart(mail),
      ...blindSpots(mail),
    ]),
    headerInjection('digest', compose.digest),
    headerInjection('confirm', compose.notice),
    sameness(mails),
    clientSupport(mails),
    markup(mails),
  ])
  return [...(await spam), ...quick.flat(), ...(await seen)]
}

async function lookAtAll(mails: readonly Mail[]): Promise<Finding[]> {
  const browser = await openBrowser()
  try {
    return [...(await appearance(browser, mails)), ...(await phoneFit(browser, mails))]
  } finally {
    await browser.close()
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = (await checkMail(process.argv.slice(2))) ? 0 : 1
