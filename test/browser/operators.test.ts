import { expect, test } from '@jest/globals'
import { TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { makeEntryLink } from '../../src/actions/operators/entry-links.ts'
import { changeRole } from '../../src/actions/operators/people.ts'
import type { Role } from '../../src/core/operators/actor.ts'
import { operators, signIns } from '../../src/db/schema/operators.ts'
import { aSession, aSubscriber, submitOwed, type TestApp } from '../app.ts'
import { aServedOperators } from './served.ts'
import { press, realBrowser, type Visit } from './visit.ts'

const openVisit = realBrowser()
const COOKIE = '__Host-openseat'
const PASSWORD = 'four gulls over the quay'
// Two days before the slot.
const SATURDAY = '2026-11-28T14:00:00.000Z'
const SLOW_MS = 120_000
const RECORDED = ['edition held', 'edition approved', 'edition paused', 'edition resumed', 'reader looked at']

test(
  'a first link makes a passkey, which signs in again, and proves who it is before people are changed',
  async () => {
    const { app, url } = await aServedOperators()
    const visit = await openVisit(url, { script: true, cookie: COOKIE })
    const { page, sees } = visit
    await sees('Nobody can sign in yet')
    await anAuthenticator(page)
    await enter(app, page, 'mira@sample.test', 'owner')
    await sees('Choose how to sign in')
    await press(page, 'Make a passkey')
    await sees('Keep these recovery codes')
    await press(page, 'I have kept them')
    await sees('Today')

    await press(page, 'Sign out')
    await sees('Sign in')
    await press(page, 'Sign in with a passkey')
    await sees('Today')
    await press(page, 'mira@sample.test')
    await sees('Your account')
    app.setNow('2026-11-23T15:15:00.000Z')
    await press(page, 'People')
    await page.getByLabel('Email address').fill('sam@sample.test')
    await page.getByRole('radio', { name: /^editor/i }).check()
    await press(page, 'Make a link for them')
    await sees('Is it still you?')
    await press(page, 'Prove it with a passkey')
    await sees('People')
    expect(app.db.select().from(operators).all()).toMatchObject([
      { email: 'mira@sample.test', role: 'owner' },
    ])
  },
  SLOW_MS,
)

test.each([true, false])(
  'a password and the code of an app sign in (script: %s)',
  async (script) => {
    const { app, url } = await aServedOperators()
    const { page, sees } = await openVisit(url, { script, cookie: COOKIE })
    const code = await choosePassword(app, page, 'mira@sample.test', 'owner')
    await sees('Today')
    await press(page, 'Sign out')
    app.setNow('2026-11-23T15:01:00.000Z')
    await page.getByLabel('Email address').fill('mira@sample.test')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByLabel('Code from your app').fill('000000')
    await press(page, 'Sign in')
    await page.getByText('That is not right.').waitFor()
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByLabel('Code from your app').fill(code())
    await press(page, 'Sign in')
    await sees('Today')
    expect(app.db.select().from(signIns).all()).toHaveLength(1)
  },
  SLOW_MS,
)

test.each([true, false])(
  'an operator adds, changes, brings in, tests, holds, approves, sends, pauses and corrects a week (script: %s)',
  async (script) => {
    const { app, url } = await aServedOperators()
    app.setNow(SATURDAY)
    for (const name of ['ada', 'ben', 'cleo']) aSubscriber(app, `${name}@sample.test`)
    aSession(app, { topic: 'ocd', group: 'Loose Ends', startsAtLocal: '2026-12-01T19:00' })
    const visit = await openVisit(url, { script, cookie: COOKIE })
    await choosePassword(app, visit.page, 'olu@sample.test', 'operator')
    await addSession(visit)
    await bringIn(visit)
    await decide(app, visit)
    await sendIt(app, visit, script)
    await changeIt(visit)
    await answerFor(app, visit)
    await press(visit.page, 'Audit')
    await visit.sees('Audit')
    const record = await visit.page.locator('table').innerText()
    expect(record).not.toContain('ben@sample.test')
    for (const did of RECORDED) expect(record).toContain(did)
  },
  SLOW_MS,
)

test(
  'an editor sees no reader, and an operator no people, whatever address they open',
  async () => {
    const { app, url } = await aServedOperators()
    const { page, sees } = await openVisit(url, { script: true, cookie: COOKIE })
    await choosePassword(app, page, 'olu@sample.test', 'operator')
    await page.goto(`${url}/people`)
    await sees('That is not part of your role')
    const [olu] = app.db.select().from(operators).all()
    await changeRole(app, olu?.id ?? 0, 'editor')
    await choosePassword(app, page, 'olu@sample.test', 'editor')
    for (const path of ['/readers', '/suppressions', '/audit', '/send-now', '/release', '/people']) {
      await page.goto(url + path)
      expect([path, await page.locator('h1').innerText()]).toEqual([path, 'That is not part of your role'])
    }
    for (const name of ['Readers', 'Suppressions', 'People', 'Audit'])
      expect(await page.getByRole('link', { name, exact: true }).count()).toBe(0)
    await page.goto(url)
    await sees('Today')
    expect(await page.getByRole('button', { name: 'Hold' }).count()).toBe(0)
    await press(page, 'Sessions')
    await sees('Sessions')
  },
  SLOW_MS,
)

/** A passkey device that belongs to the browser and always agrees. */
async function anAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    },
  })
}

async function enter(app: TestApp, page: Page, email: string, role: Role): Promise<void> {
  const made = await makeEntryLink(app, { email, role })
  if (made.kind !== 'made') throw new Error(made.kind)
  await page.goto(made.url)
  await press(page, 'Continue')
}

/** Enters by a link with a password and an app, and returns what the app shows. */
async function choosePassword(app: TestApp, page: Page, email: string, role: Role): Promise<() => string> {
  await enter(app, page, email, role)
  const secret = (await page.locator('code').innerText()).replaceAll(' ', '')
  const code = () => new TOTP({ secret }).generate({ timestamp: app.now().getTime() })
  await page.getByLabel('New password').fill(PASSWORD)
  await page.getByLabel('The code that the app shows now').fill(code())
  await press(page, 'Use the password and the app')
  await press(page, 'I have kept them')
  return code
}

async function addSession({ page, sees }: Visit): Promise<void> {
  await press(page, 'Sessions')
  await sees('Sessions')
  await press(page, 'Add a session')
  await sees('Add a session')
  await page.getByLabel('Group', { exact: true }).fill('Small Hours')
  await page.getByLabel('Topic').selectOption('anxiety')
  await page.getByLabel('Therapist').fill('Dr. Ida Stern')
  await page.getByLabel('First start').fill('12/3/2026 6:00 PM')
  await page.getByLabel('Booking link').fill('https://book.sample.test/small-hours')
  await press(page, 'Look at the dates')
  // What was left empty is filled in from the group, and asked about.
  if ((await page.locator('h1').innerText()) === 'Add a session') await press(page, 'Look at the dates')
  await sees('Add Small Hours?')
  await press(page, 'Add it')
  await page.getByRole('status').waitFor()
}

async function bringIn({ page, sees }: Visit): Promise<void> {
  await press(page, 'Import')
  await sees('Import')
  await page
    .getByLabel('Or paste the rows here')
    .fill(
      'external_id,group,topic,therapist,starts_at,time_zone,booking_url\nlow-tide,Low Tide,depression,Dr. Ida Stern,2026-12-04T18:00,America/New_York,https://book.sample.test/low-tide\n',
    )
  await press(page, 'Look at it')
  await sees('What the file would change')
  await page.getByText('One new time').waitFor()
  await press(page, 'Bring it in')
  await page.getByText('Brought in: 1 added').waitFor()
  await sees('Import')
}

async function decide(app: TestApp, { page, sees }: Visit): Promise<void> {
  await press(page, 'Today')
  await sees('Today')
  await page.getByText('3 of 3 people get 3 group times.').waitFor()
  await press(page, 'Send me a test')
  await page.getByText('A test copy is on its way to you').waitFor()
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([['olu@sample.test']])
  await press(page, 'Preview')
  await sees('What will go out')
  await press(page, 'Today')
  await press(page, 'Hold')
  await page.getByText('It is held. Nothing goes out').waitFor()
  await sees('Today')
  await press(page, 'Approve: let it go')
  await page.getByText('Approved. It goes out at its time.').waitFor()
}

async function sendIt(app: TestApp, { page, sees }: Visit, script: boolean): Promise<void> {
  await press(page, 'Send now…')
  await sees('Send it now?')
  await press(page, 'Email 3 people now')
  await sees('The edition of November 30, 2026')
  await press(page, 'Pause')
  await page.getByText('Paused.').waitFor()
  await submitOwed(app)
  expect(app.resend.accepted).toHaveLength(1)
  await press(page, 'Go on: email 3 more people')
  await page.getByText('It goes on.').waitFor()
  await submitOwed(app)
  // The page notices by itself with a script, and loads itself again without one.
  if (!script) await page.reload()
  await page.getByText('3 of 3 people were emailed.').waitFor()
  await page.getByText('It is done.').waitFor()
  expect(app.resend.accepted).toHaveLength(4)
  await sees('The edition of November 30, 2026')
}

async function changeIt({ page, sees }: Visit): Promise<void> {
  await press(page, 'Sessions')
  await press(page, 'Small Hours')
  await sees('Small Hours')
  await page.getByLabel('First start').fill('12/3/2026 6:30 PM')
  await press(page, 'Save')
  await sees('Save Small Hours?')
  await press(page, 'Save as a quiet correction')
  await page.getByRole('status').waitFor()
  await press(page, 'Sessions')
  await press(page, 'Low Tide')
  await page.getByLabel('First start').fill('12/4/2026 7:00 PM')
  await press(page, 'Save')
  await page.getByText('3 people who saw this will see it again as changed.').waitFor()
  await sees('Save Low Tide?')
  await press(page, 'Save: 3 people see it again')
}

async function answerFor(app: TestApp, { page, sees }: Visit): Promise<void> {
  await press(page, 'Readers')
  await sees('Readers')
  await page.getByLabel('Their email address').fill('ben@sample.test')
  await press(page, 'Find')
  await sees('One reader')
  await press(page, 'Send this edition again')
  await submitOwed(app)
  expect(app.resend.accepted.at(-1)?.to).toEqual(['ben@sample.test'])
  await press(page, 'Editions')
  await sees('Editions')
  await page.locator('main a').first().click()
  await page.locator('tr, li').filter({ hasText: 'Small Hours' }).getByText('Correct it').click()
  await sees('Send a correction?')
  await press(page, 'Email 3 people the correction')
  await submitOwed(app)
  expect(app.resend.accepted.filter(({ subject }) => subject.startsWith('A correction'))).toHaveLength(3)
}
