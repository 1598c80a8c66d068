import { expect, test } from '@jest/globals'
import { sessions } from '../../src/db/schema/sessions.ts'
import { cookieName } from '../../src/http/operator/guard.ts'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp } from '../app.ts'
import { signedIn } from '../operator.ts'
import { aServedOperators } from './served.ts'
import { realBrowser } from './visit.ts'

const visit = realBrowser()

/** The pages as an editor sees them, who signed in before. */
async function anEditor(app: TestApp, url: string, script: boolean) {
  const name = cookieName(url)
  const { page, sees } = await visit(url, { script, cookie: name })
  const { cookie } = await signedIn(app, 'editor')
  // Chromium counts this machine as safe, but takes a cookie with the prefix from an https address alone.
  const value = cookie.slice(name.length + 1)
  await page.context().addCookies([{ name, value, url: 'https://localhost', httpOnly: true, secure: true }])
  await page.goto(`${url}/sessions`)
  const press = async (button: string) => {
    await page.getByRole('button', { name: button }).click()
    await page.waitForLoadState()
  }
  const write = (label: string, value: string) => page.getByLabel(label, { exact: true }).fill(value)
  return { page, sees, press, write }
}

test('an editor adds a session after a look at it, and changes it loudly and quietly', async () => {
  const { app, url } = await aServedOperators()
  aSubscriber(app, 'mara@sample.test')
  const { page, sees, press, write } = await anEditor(app, url, true)
  await sees('Sessions')
  await page.getByRole('link', { name: 'Add a session' }).click()
  await sees('Add a session')
  await write('Group', 'Steady Ground')
  await press('Look at the dates')
  await sees('Add a session')
  await page.getByLabel('Topic', { exact: true }).selectOption('anxiety')
  await write('Therapist', 'Dr. Mira Lee')
  await write('First start', 'Tue, Dec 1, 2026, 7 PM')
  await write('Booking link', 'https://book.harbor.test/steady')
  await press('Look at the dates')
  await sees('Add Steady Ground?')
  await press('Add it')
  await sees('Steady Ground')
  await planNow(app)
  await submitOwed(app)

  for (const [hour, button, news] of [
    ['8', 'Save as a quiet correction', 'new'],
    ['9', 'Save: 1 person sees it again', 'moved'],
  ] as const) {
    await write('First start', `12/1/2026 ${hour}:00 PM`)
    await press('Save')
    await sees('Save Steady Ground?')
    await press(button)
    expect(await page.getByRole('status').first().innerText()).toMatch(/^Saved/)
    expect(app.db.select().from(sessions).get()).toMatchObject({
      startsAtLocal: expect.stringContaining(`${Number(hour) + 12}:00`),
      news,
    })
  }
  await page.getByRole('link', { name: 'Cancel this session' }).click()
  await sees('Cancel Steady Ground?')
  for (const [path, heading] of [
    ['/groups', 'Groups and topics'],
    ['/groups/1', 'Steady Ground'],
    ['/topics/anxiety', 'Anxiety'],
  ] as const) {
    await page.goto(`${url}${path}`)
    await sees(heading)
  }
})

test.each([true, false])('seats are pressed, and undone for ten seconds (script: %s)', async (script) => {
  const { app, url } = await aServedOperators()
  aSession(app, { seatsLeft: 3, seatsTotal: 5 })
  const { page, sees, press } = await anEditor(app, url, script)
  const left = page.locator('output')
  await press('One spot more in Steady Ground')
  await page.getByText(/saving in \d+ s/).waitFor()
  expect(await left.innerText()).toBe('4')
  await press('One spot more in Steady Ground')
  await page.locator('output', { hasText: '5' }).waitFor()
  expect(await page.getByRole('button', { name: 'One spot more in Steady Ground' }).isDisabled()).toBe(true)
  if (script) await page.getByText(/saving in 9 s/).waitFor()
  await sees('Sessions')
  await press('Undo the change of spots in Steady Ground')
  await page.locator('output', { hasText: '3' }).waitFor()
  expect(app.db.select().from(sessions).get()).toMatchObject({ seatsLeft: 3 })
})
