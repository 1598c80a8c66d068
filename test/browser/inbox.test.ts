import { expect, test } from '@jest/globals'
import { Resend } from 'resend'
import { startInbox } from '../../src/demo/inbox/server.ts'
import { afterTest, eventually } from '../app.ts'
import { realBrowser } from './visit.ts'

const visit = realBrowser()
const HOSTILE =
  '<script>top.document.title = "mine"</script><img alt="" src="/pixel" onerror="top.document.title = 1">'

test.each([{ script: true }, { script: false }])(
  'everyone can read the inbox of the demo, on a phone too (scripts: $script)',
  async (visitor) => {
    const { url, send } = await anInbox()
    await send('ada@sample.test', 'Hello there')
    await send('ben@sample.test', HOSTILE, '<html lang="en"><title>An email</title><p>Harmless</p></html>')
    const { page, sees } = await visit(url, visitor)
    expect(await page.locator('main').isVisible()).toBe(false)
    await page.getByRole('link', { name: /ben@sample\.test/ }).click()
    await sees(HOSTILE)
    // On the desktop now, with the list beside it.
    await page.getByRole('link', { name: /ada@sample\.test/ }).click()
    await sees('Hello there')
    for (const part of ['Text part', 'Headers']) {
      await page.getByRole('link', { name: part }).click()
      await sees('Hello there')
    }
    await page.setViewportSize({ width: 375, height: 800 })
    expect(await page.locator('#list').isVisible()).toBe(false)
    await page.getByRole('link', { name: 'All emails' }).click()
    expect(await page.locator('main').isVisible()).toBe(false)
  },
)

test('an email runs no script and fetches nothing', async () => {
  const { url, send } = await anInbox()
  await send('ada@sample.test', 'Hello', `<html><body>${HOSTILE}<p>Loaded</p></body></html>`)
  const { page } = await visit(url, { script: true })
  const fetched: string[] = []
  page.on('requestfinished', (request) => fetched.push(request.url()))
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(url, { waitUntil: 'load' })
  await page.frameLocator('#frame').getByText('Loaded').waitFor()
  expect(await page.title()).toBe('Hello – The demo’s inbox')
  // On its own the email is as harmless as in its frame.
  await page.goto(new URL((await page.locator('#frame').getAttribute('src')) ?? '', url).href)
  expect(await page.title()).toBe('')
  expect(fetched.filter((one) => one.includes('/pixel'))).toEqual([])
})

test('the frame is as high as its email, and its links open beside it', async () => {
  const { url, send } = await anInbox()
  await send(
    'ada@sample.test',
    'Long',
    `<div style="height: 3000px"><a href="${url}/book/steady-ground">Reserve</a></div>`,
  )
  const { page } = await visit(url, { script: true })
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(url)
  const frame = page.locator('#frame')
  await eventually(async () => ((await frame.boundingBox())?.height ?? 0) >= 3000)
  const [beside] = await Promise.all([
    page.waitForEvent('popup'),
    page.frameLocator('#frame').getByRole('link', { name: 'Reserve' }).click(),
  ])
  expect(await beside.locator('h1').innerText()).toBe('Your own booking page would open here')
})

test('new emails appear by themselves, and keys go from one to the next', async () => {
  const { url, send } = await anInbox()
  const { page } = await visit(url, { script: true })
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(url)
  await page.getByText('No email yet').waitFor()
  await send('ada@sample.test', 'One')
  await page.getByRole('heading', { name: 'One' }).waitFor()
  await send('ben@sample.test', 'Two')
  await page.getByRole('link', { name: /ben@sample\.test/ }).waitFor()
  await page.keyboard.press('k')
  await page.getByRole('heading', { name: 'Two' }).waitFor()
  await page.keyboard.press('j')
  await page.getByRole('heading', { name: 'One' }).waitFor()
  expect(await page.getByRole('link', { name: /ada@sample\.test/ }).getAttribute('aria-current')).toBe('page')
})

async function anInbox() {
  const inbox = await startInbox({
    port: 0,
    account: { apiKey: 're_demo', domain: 'mail.harbor.test' },
    now: () => new Date(),
    examples: [],
    groups: new Map(),
    reports: { endpoint: 'http://127.0.0.1:1/', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
  })
  afterTest(() => inbox.close())
  const resend = new Resend('re_demo', { baseUrl: inbox.url })
  const send = (
    to: string,
    subject: string,
    html = `<html lang="en"><head><title>An email</title></head><body><p>${subject}</p></body></html>`,
  ) =>
    resend.emails.send({ from: 'Harbor Groups <groups@mail.harbor.test>', to, subject, html, text: subject })
  return { url: inbox.url, send }
}
