import { expect, test } from '@jest/globals'
import { submitNotice } from '../../src/actions/subscribers/notices.ts'
import { owedNotices } from '../../src/db/people/notices.ts'
import { subscribers } from '../../src/db/schema/people.ts'
import { planNow, submitOwed, type TestApp } from '../app.ts'
import { aServedApp } from './served.ts'
import { press, realBrowser, type Visit, type Visitor } from './visit.ts'

const openVisit = realBrowser()

const SLOW_MS = 120_000
const VISITORS: Visitor[] = [{ script: true }, { script: false }]

test.each(VISITORS)(
  'Ada joins, confirms, chooses, pauses, leaves, comes back and is forgotten (script: $script)',
  async (visitor) => {
    const { app, url } = await aServedApp()
    const visit = await openVisit(url, visitor)
    await join(app, visit, visitor)
    const confirmLink = await confirm(app, visit)
    const mail = await nextEdition(app)
    await choose(app, visit, linkAfter('Change your emails', mail))
    await addCalendar(visit, visitor)
    await pause(app, visit)
    await leaveAndComeBack(app, visit, linkAfter('Unsubscribe', mail))
    await move(app, visit, linkAfter('Change your emails', mail))
    await beForgotten(app, visit, linkAfter('Open my preferences', lastMail(app)))
    expect(readers(app)).toEqual([])

    await visit.page.goto(confirmLink)
    await visit.sees('This link has expired')
  },
  SLOW_MS,
)

test.each(VISITORS)(
  'whoever looks for a time finds this week’s, an edition’s, and a way on from nowhere (script: $script)',
  async (visitor) => {
    const { app, url } = await aServedApp()
    const { page, sees } = await openVisit(url, visitor)
    await press(page, 'See all group times')
    if (visitor.script) await page.waitForURL(/tz=America%2FChicago/)
    else {
      await page.getByText('Change', { exact: true }).click()
      await page.getByLabel('Time zone').selectOption('America/Chicago')
      await press(page, 'Show')
    }
    await sees('Group times')
    expect(await page.getByRole('heading', { name: 'Tuesday, December 1' }).count()).toBe(1)
    expect(await page.locator('.when').allInnerTexts()).toEqual(['6:00 PM', '6:00 PM'])

    await page.goto(`${url}/editions/${await planNow(app)}?tz=UTC`)
    await sees('Group times from November 23, 2026')
    await page.goto(`${url}/nowhere`)
    await sees('Page not found')
  },
  SLOW_MS,
)

test(
  'Luz joins, confirms, chooses, leaves and is forgotten in Spanish',
  async () => {
    const { app, url } = await aServedApp()
    const { page, sees } = await openVisit(url, { script: true })
    await press(page, 'Español')
    await sees('Nuevos horarios de grupo, una vez por semana')
    await press(page, 'Ver todos los horarios')
    await page.waitForLoadState()
    await page.goto(`${url}/?lang=es`)
    await page.getByLabel('Correo electrónico').fill('luz@sample')
    app.setNow('2026-11-23T15:00:20Z')
    await press(page, 'Suscribirme')
    await sees('Nuevos horarios de grupo, una vez por semana')
    await page.getByLabel('Correo electrónico').fill('luz@sample.test')
    await press(page, 'Suscribirme')
    await sees('Revisa tu bandeja de entrada')
    await submitNotices(app)
    await page.goto(linkAfter('Confirmar mi suscripción', lastMail(app)))
    await sees('Confirma tu suscripción')
    await press(page, 'Confirmar mi suscripción')
    await sees('Ya estás en la lista')
    expect(readers(app)).toMatchObject([{ status: 'active', locale: 'es-US' }])
    await submitNotices(app)

    await page.goto(linkAfter('Cambiar mis preferencias', lastMail(app)))
    await sees('Tus preferencias')
    await press(page, '4 semanas')
    await sees('Tus preferencias')
    expect(await page.getByRole('status').innerText()).toMatch(
      /^Tus avisos están en pausa hasta el lunes,? 21 de diciembre\./,
    )
    await page.getByText('Tu cuenta').click()
    const leave = page.getByRole('button', { name: 'Cancelar la suscripción' })
    await Promise.all([page.waitForEvent('load'), leave.click()])
    await sees('Cancelaste tu suscripción')
    await press(page, 'Volver a suscribirme')
    await sees('Tu suscripción está activa de nuevo')
    await page.goto(linkAfter('Cambiar mis preferencias', lastMail(app)))
    await page.getByText('Tu cuenta').click()
    await press(page, 'Borrar todos mis datos')
    await sees('Revisa tu bandeja de entrada')
    await submitNotices(app)
    await page.goto(linkAfter('Borrar mis datos', lastMail(app)))
    await sees('Borrar todos mis datos')
    await press(page, 'Borrar todos mis datos')
    await sees('Tus datos están borrados')
    await page.goto(`${url}/nowhere?lang=es`)
    await sees('No encontramos esta página')
  },
  SLOW_MS,
)

async function join(app: TestApp, { page, sees }: Visit, { script }: Visitor): Promise<void> {
  await sees('New group times, once a week')
  await page.getByText('More options', { exact: true }).click()
  const zone = page.getByLabel('Time zone')
  if (script) expect(await zone.inputValue()).toBe('America/Chicago')
  else await zone.selectOption('America/Chicago')
  await page.getByLabel('Email address').fill('ada@sample')
  await page.getByLabel('First name').fill('see www.pills.test')
  await page.getByLabel('Anxiety').check()
  app.setNow('2026-11-23T15:00:20Z') // she took twenty seconds, which a program does not
  await press(page, 'Sign up')
  await sees('New group times, once a week')
  expect(await page.getByRole('alert').getByRole('listitem').allInnerTexts()).toEqual([
    'Email address: check the part after the @',
    'First name: enter just a name',
  ])
  expect(await page.getByLabel('Anxiety').isChecked()).toBe(true)
  expect(await zone.inputValue()).toBe('America/Chicago')

  await page.getByLabel('Email address').fill('ada@sample.test')
  await page.getByLabel('First name').fill('Ada')
  await press(page, 'Sign up')
  await sees('Check your email')
  expect(readers(app)).toMatchObject([{ status: 'pending' }])
}

async function confirm(app: TestApp, { page, sees }: Visit): Promise<string> {
  await submitNotices(app)
  const link = linkAfter('Confirm my subscription', lastMail(app))
  await page.goto(link)
  await sees('Confirm your subscription')
  expect(readers(app)).toMatchObject([{ status: 'pending' }])
  await press(page, 'Confirm my subscription')
  await sees('You’re subscribed')
  expect(readers(app)).toMatchObject([{ status: 'active', name: 'Ada', timeZone: 'America/Chicago' }])
  return link
}

async function submitNotices(app: TestApp): Promise<void> {
  for (const { id } of await owedNotices(app.store, app.now(), 10)) await submitNotice(app, id)
}

/** A week later; returns what she gets, as text. */
async function nextEdition(app: TestApp): Promise<string> {
  app.setNow('2026-12-01T15:00:00Z')
  await planNow(app)
  await submitOwed(app)
  return lastMail(app)
}

async function choose(app: TestApp, { page, sees }: Visit, link: string): Promise<void> {
  await page.goto(link)
  await sees('Your preferences')
  await page.getByLabel('First name').fill('Ada '.repeat(40))
  await press(page, 'Save how it looks')
  await sees('Your preferences')
  expect(await page.getByRole('alert').innerText()).toContain('Your changes aren’t saved yet')
  expect(await page.evaluate('document.activeElement.id')).toBe('wrong')
  expect(readers(app)).toMatchObject([{ cadence: 'weekly', name: 'Ada' }])

  await page.getByLabel('First name').fill('')
  await press(page, 'Save how it looks')
  await sees('Your preferences')
  expect(await page.locator('#look').getByRole('status').innerText()).toContain('Saved.')
  await page.getByLabel('Every 4 weeks').check()
  await press(page, 'Save topics and frequency')
  await sees('Your preferences')
  expect(await page.locator('#get').getByRole('status').innerText()).toContain('Saved.')
  expect(readers(app)).toMatchObject([{ cadence: 'monthly', name: null }])
}

/** A private calendar: its buttons, and the one that needs the script. */
async function addCalendar({ page, sees }: Visit, { script }: Visitor): Promise<void> {
  await page.locator('#calendar summary').click()
  await press(page, 'Create a calendar link')
  await sees('Your preferences')
  expect(await page.locator('#calendar').getByRole('status').first().innerText()).toContain('link is below')
  const copy = page.getByRole('button', { name: 'Copy link' })
  expect(await copy.isVisible()).toBe(script)
  expect(await page.locator('#link').isVisible()).toBe(true)
  if (!script) return
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await copy.click()
  await page.getByRole('button', { name: 'Link copied' }).waitFor()
  const copied = await page.evaluate('navigator.clipboard.readText()')
  expect(copied).toBe(await page.locator('#link').innerText())
}

async function pause(app: TestApp, { page, sees }: Visit): Promise<void> {
  await press(page, '4 weeks')
  await sees('Your preferences')
  expect(await page.getByRole('status').innerText()).toContain('Your emails are paused until')
  expect(readers(app)).toMatchObject([{ pausedUntil: Date.parse('2026-12-29T06:00:00Z') }])
}

async function leaveAndComeBack(app: TestApp, { page, sees }: Visit, link: string): Promise<void> {
  await page.goto(link)
  await sees('Unsubscribe')
  expect(readers(app)).toMatchObject([{ status: 'active' }])
  await press(page, 'Unsubscribe')
  await sees('You’re unsubscribed')
  expect(readers(app)).toMatchObject([{ status: 'unsubscribed' }])
  await press(page, 'Subscribe again')
  await sees('You’re subscribed again')
  expect(readers(app)).toMatchObject([{ status: 'active' }])
}

/** To another address, back again by the link that the old one got, and to links of her own. */
async function move(app: TestApp, { page, sees }: Visit, link: string): Promise<void> {
  await page.goto(link)
  await page.getByText('Your account').click()
  await press(page, 'Change address')
  await sees('Check your email')
  await submitNotices(app)
  await page.goto(linkAfter('Change my address', lastMail(app)))
  await sees('Change your address')
  await page.getByLabel('New address').fill('ada@elsewhere')
  await press(page, 'Send the link')
  await sees('Change your address')
  await page.getByLabel('New address').fill('ada@elsewhere.test')
  await press(page, 'Send the link')
  await sees('Check your email')
  await submitNotices(app)
  await page.goto(linkAfter('Use this address', lastMail(app)))
  await sees('Use this address')
  await press(page, 'Use this address')
  await sees('This address is confirmed')
  expect(readers(app)).toMatchObject([{ email: 'ada@elsewhere.test' }])
  await submitNotices(app)
  await page.goto(linkAfter('Undo the change', lastMail(app)))
  await sees('Undo the address change')
  await press(page, 'Undo the change')
  await sees('The change is undone')
  expect(readers(app)).toMatchObject([{ email: 'ada@sample.test' }])

  await page.goto(link)
  await sees('This link was replaced')
  await press(page, 'Email me the newest link')
  await sees('Check your email')
  await submitNotices(app)
  const never = linkAfter('This wasn’t me: send no more of these', lastMail(app))
  await page.goto(never)
  await sees('Don’t email me again')
  await press(page, 'Never again')
  await sees('We won’t email you again')
  await press(page, 'Allow these emails again')
  await sees('These emails are allowed again')
  app.setNow('2027-01-15T15:00:00Z')
}

async function beForgotten(app: TestApp, { page, sees }: Visit, link: string): Promise<void> {
  await page.goto(link)
  await page.getByText('Your account').click()
  await press(page, 'See my data')
  await sees('Check your email')
  await submitNotices(app)
  await page.goto(linkAfter('Download my data', lastMail(app)))
  await sees('Your data')

  await page.goto(link)
  await page.getByText('Your account').click()
  await press(page, 'Delete my data')
  await sees('Check your email')
  expect(readers(app)).toHaveLength(1)
  await submitNotices(app)
  await page.goto(linkAfter('Delete my data', lastMail(app)))
  await sees('Delete my data')
  expect(readers(app)).toHaveLength(1)
  await press(page, 'Delete my data')
  await sees('Your data is deleted')
  await page.goto(link)
  await sees('We can’t open your preferences')
}

/** Presses a button or a link of this name, and waits for the page it leads to. */
const readers = (app: TestApp) => app.db.select().from(subscribers).all()

const lastMail = (app: TestApp): string => app.resend.accepted.at(-1)?.text ?? ''

/** The address under this line of an email. */
function linkAfter(line: string, mail: string): string {
  const [, link] = mail.match(new RegExp(`${line}:\\s+(http\\S+)`)) ?? []
  if (!link) throw new Error(`no link after "${line}" in: ${mail}`)
  return link
}
