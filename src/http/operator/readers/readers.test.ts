import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../../test/operator.ts'
import { auditLog } from '../../../db/schema/installation.ts'
import { subscribers, suppressions } from '../../../db/schema/people.ts'

const MARA = 'mara@sample.test'

async function aPractice() {
  const app = await testApp()
  aSession(app, { topic: 'ocd', group: 'Loose Ends' })
  aSubscriber(app, MARA)
  await planNow(app)
  await submitOwed(app)
  const server = await operatorServer(app)
  const [row] = app.db.select().from(subscribers).all()
  return { app, server, page: `/readers/${row?.publicId}` }
}

const actions = (app: TestApp) =>
  app.db.select({ action: auditLog.action, subject: auditLog.subject }).from(auditLog).all()

test('a reader is found by their whole address, which is in no URL, no log and no record', async () => {
  const { app, server, page } = await aPractice()
  const operator = await signedIn(app, 'operator')
  const find = (email: string) => postAs(server, operator, '/readers/find', { email })
  expect((await find(' MARA@Sample.test ')).headers.location).toBe(page)
  expect((await find('mara')).statusCode).toBe(422)
  expect((await find('mar@sample.test')).statusCode).toBe(404)
  const { body } = await getAs(server, operator, page)
  expect(body).toContain('Emailed: the provider accepted the email')
  expect(body).toContain(MARA)
  expect(body).not.toContain('/export')
  const publicId = page.slice('/readers/'.length)
  expect(actions(app)).toEqual(
    expect.arrayContaining([
      { action: 'reader looked up', subject: publicId },
      { action: 'reader looked up', subject: 'nobody on the list' },
      { action: 'reader looked at', subject: publicId },
    ]),
  )
  expect(`${app.logged()}${JSON.stringify(actions(app))}`).not.toContain('mara')
})

test('nobody can try out a list of addresses', async () => {
  const { app, server } = await aPractice()
  const [one, other] = [await signedIn(app, 'operator'), await signedIn(app, 'owner')]
  const find = (who: typeof one, n: number) =>
    postAs(server, who, '/readers/find', { email: `n${n}@sample.test` })
  const statuses: number[] = []
  for (let n = 0; n < 61; n += 1) statuses.push((await find(one, n)).statusCode)
  expect(statuses.indexOf(429)).toBe(60)
  expect((await postAs(server, one, '/suppressions/find', { email: MARA })).statusCode).toBe(429)
  expect((await find(other, 0)).statusCode).toBe(404)
})

test('the desk sends links, pauses, unsubscribes, subscribes again, and sends an edition again', async () => {
  const { app, server, page } = await aPractice()
  const operator = await signedIn(app, 'operator')
  const act = async (what: string, form: Record<string, string> = {}) =>
    (await postAs(server, operator, `${page}/${what}`, form)).statusCode
  const reader = () => app.db.select().from(subscribers).get()
  expect(await act('links')).toBe(303)
  expect(await act('pause', { until: '2026-12-24' })).toBe(303)
  expect(reader()?.pausedUntil).toBe(Date.parse('2026-12-24T05:00:00.000Z'))
  expect(await act('pause', { until: '2026-11-01' })).toBe(422)
  expect(await act('resume')).toBe(303)
  expect(await act('resend', { edition: '2026-11-23' })).toBe(303)
  expect(await act('resend', { edition: '2026-11-16' })).toBe(404)
  await submitOwed(app)
  expect(app.resend.accepted.filter(({ to }) => to.includes(MARA))).toHaveLength(2)
  expect(await act('unsubscribe')).toBe(303)
  expect(reader()).toMatchObject({ status: 'unsubscribed', unsubscribedBy: 'operator' })
  expect(await act('resubscribe')).toBe(303)
  expect(reader()?.status).toBe('active')
  expect(actions(app).map(({ action }) => action)).toEqual(
    expect.arrayContaining([
      'reader sent links',
      'reader paused',
      'reader pause ended',
      'unsubscribe',
      'resubscribe',
      'reader resent to',
    ]),
  )
  for (const what of ['export', 'erase']) expect(await act(what)).toBe(403)
})

test('an owner downloads everything about someone and erases them, with a fresh proof', async () => {
  const { app, server, page } = await aPractice()
  const owner = await signedIn(app, 'owner')
  const exported = await postAs(server, owner, `${page}/export`)
  expect(exported.headers['content-disposition']).toBe(
    'attachment; filename="everything-about-one-person.json"',
  )
  expect(exported.json()).toMatchObject({ subscriber: { email: MARA } })
  app.setNow('2026-11-23T15:11:00.000Z')
  for (const what of ['export', 'erase'])
    expect((await postAs(server, owner, `${page}/${what}`)).headers.location).toBe(
      `/prove?next=${encodeURIComponent(page)}`,
    )
  app.setNow('2026-11-23T15:09:00.000Z')
  expect((await postAs(server, owner, `${page}/erase`)).headers.location).toBe('/readers')
  expect(app.db.select().from(subscribers).all()).toEqual([])
  expect((await getAs(server, owner, page)).statusCode).toBe(404)
})

test('a suppression is found by typing the address, and is lifted only with the consent on record', async () => {
  const { app, server } = await aPractice()
  const operator = await signedIn(app, 'operator')
  const [row] = app.db.select().from(subscribers).all()
  const lift = (consent: string) => postAs(server, operator, '/suppressions/lift', { email: MARA, consent })
  const look = async (email = MARA) => (await postAs(server, operator, '/suppressions/find', { email })).body
  expect(await look()).toContain('That address is not suppressed.')
  const bounced = { emailHash: row?.emailHash ?? '', reason: 'bounce', createdAt: 0 } as const
  app.db.insert(suppressions).values(bounced).run()
  expect(await look()).toContain('an email to it bounced permanently')
  expect((await getAs(server, operator, '/suppressions')).body).toContain(
    '1 address, because an email to it bounced',
  )
  expect((await lift(' ')).statusCode).toBe(422)
  expect((await lift('Called on November 23')).statusCode).toBe(303)
  expect(await look()).toContain('That address is not suppressed.')
  app.db
    .insert(suppressions)
    .values({ ...bounced, reason: 'erased' })
    .run()
  expect(await look()).toContain('They can only come back by signing up')
  await lift('They called')
  expect((await getAs(server, operator, '/suppressions')).body).toContain('They were erased.')
})

test('the checks run when asked for, say what to do, and stay until the next run', async () => {
  const { app, server } = await aPractice()
  const operator = await signedIn(app, 'operator')
  expect((await getAs(server, operator, '/check')).body).toContain('Check now')
  const runs = await Promise.all([postAs(server, operator, '/check'), postAs(server, operator, '/check')])
  expect(runs.map(({ statusCode }) => statusCode)).toEqual([303, 303])
  const { body } = await getAs(server, operator, '/check')
  expect(body).toContain('What to do:')
  expect(body).not.toContain(app.config.LINK_SECRET[0])
  expect((await postAs(server, await signedIn(app, 'editor'), '/check')).statusCode).toBe(403)
})

test('an owner lets someone in, changes their role and removes them, but not the last owner', async () => {
  const { app, server } = await aPractice()
  const owner = await signedIn(app, 'owner')
  const made = await postAs(server, owner, '/people/link', { email: 'sam@sample.test', role: 'editor' })
  expect(made.body).toMatch(/<code>http:\/\/127\.0\.0\.1:3001\/enter\/[\w-]{43}<\/code>/)
  const act = async (what: string, form: Record<string, string> = {}) =>
    (await postAs(server, owner, `/people/${what}`, form)).statusCode
  const sam = owner.operatorId + 1
  expect(await act(`${sam}/role`, { role: 'operator' })).toBe(303)
  expect(await act(`${sam}/role`, { role: 'admin' })).toBe(409)
  expect(await act(`${owner.operatorId}/role`, { role: 'editor' })).toBe(409)
  expect(await act(`${owner.operatorId}/remove`)).toBe(409)
  expect(await act(`${sam}/sign-out`)).toBe(303)
  expect(await act(`${sam}/remove`)).toBe(303)
  expect((await getAs(server, owner, '/people')).body).not.toContain('sam@sample.test')
  const operator = await signedIn(app, 'operator')
  expect((await getAs(server, operator, '/people')).statusCode).toBe(403)
  app.setNow('2026-11-23T15:11:00.000Z')
  expect((await postAs(server, owner, '/people/link', { email: 'x@sample.test' })).headers.location).toBe(
    '/prove?next=%2Fpeople',
  )
})
