import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../../test/operator.ts'
import { summaryOf } from '../../../actions/editions/show.ts'
import { sessions } from '../../../db/schema/sessions.ts'

const ID = '2026-11-23'
const URL = `/editions/${ID}`

async function aPractice(readers = 3): Promise<TestApp> {
  const app = await testApp()
  aSession(app, { topic: 'ocd', group: 'Loose Ends' })
  for (let n = 0; n < readers; n += 1) aSubscriber(app, `reader-${n}@sample.test`)
  return app
}

const waiting = async (app: TestApp) => (await summaryOf(app, ID))?.waiting

test('an edition is paused without a question, goes on, and says whom that concerns', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  expect((await getAs(server, operator, '/editions')).body).toContain('No edition has gone out yet.')
  expect((await getAs(server, operator, URL)).statusCode).toBe(404)
  await planNow(app)

  const page = (await getAs(server, operator, URL)).body
  expect(page).toContain('0 of 3 people were emailed.</span> <span data-name="facts">3 are waiting.')
  expect(page).toContain('<noscript><meta http-equiv="refresh" content="5"></noscript>')
  expect((await postAs(server, operator, `${URL}/pause`)).headers.location).toBe(URL)
  expect((await getAs(server, operator, URL)).body).toContain('Go on: email 3 more people')
  await submitOwed(app)
  expect(await waiting(app)).toBe(3)
  expect((await postAs(server, operator, `${URL}/pause`)).statusCode).toBe(409)
  await postAs(server, operator, `${URL}/resume`)
  await submitOwed(app)
  expect(await waiting(app)).toBe(0)
  const done = (await getAs(server, operator, URL)).body
  expect(done).toContain('3 of 3 people were emailed.')
  expect(done).not.toContain('http-equiv="refresh"')
  expect(done).toContain('Loose Ends')
  expect((await getAs(server, operator, '/editions')).body).toContain('November 23, 2026')
})

test('its progress is said again only when it has changed', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const editor = await signedIn(app, 'editor')
  await planNow(app)
  const first = await getAs(server, editor, `${URL}/progress`)
  expect(first.json()).toEqual({
    state: 'It is going out.',
    lead: '0 of 3 people were emailed.',
    facts: '3 are waiting.',
    done: 0,
    candidates: 3,
    isLive: true,
  })
  const headers = {
    host: '127.0.0.1:3001',
    cookie: editor.cookie,
    'if-none-match': String(first.headers.etag),
  }
  expect((await server.inject({ url: `${URL}/progress`, headers })).statusCode).toBe(304)
  await submitOwed(app)
  expect((await server.inject({ url: `${URL}/progress`, headers })).json()).toMatchObject({
    done: 3,
    isLive: false,
  })
})

test('cancelling says how many people get nothing, and is for good', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const owner = await signedIn(app, 'owner')
  await planNow(app)
  expect((await getAs(server, owner, URL)).body).toContain('3 people will not get this edition.')
  await postAs(server, owner, `${URL}/cancel`)
  await submitOwed(app)
  expect(app.resend.accepted).toEqual([])
  const tab = (await getAs(server, owner, `${URL}?tab=skipped`)).body
  expect(tab).toContain('3 people, because the edition was cancelled before their turn came.')
})

test('a resend goes to whom the button says, once, however often it is pressed', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  await planNow(app)
  await submitOwed(app)
  const to = { who: 'to', email: 'READER-1@sample.test', generation: '0' }
  const [one, other] = await Promise.all([
    postAs(server, operator, `${URL}/resend`, to),
    postAs(server, operator, `${URL}/resend`, to),
  ])
  expect([one.statusCode, other.statusCode].toSorted()).toEqual([303, 409])
  await submitOwed(app)
  expect((await postAs(server, operator, `${URL}/resend`, to)).body).toContain('This page was old')
  expect(app.resend.accepted).toHaveLength(4)

  app.setNow('2026-11-23T15:11:00.000Z')
  const all = { who: 'all', generation: '1' }
  expect((await postAs(server, operator, `${URL}/resend`, all)).headers.location).toBe(
    '/prove?next=%2Feditions%2F2026-11-23',
  )
  for (const wrong of [
    {},
    { who: 'everyone', generation: '1' },
    { who: 'to', email: 'nobody@sample.test', generation: '1' },
  ])
    expect((await postAs(server, operator, `${URL}/resend`, wrong)).statusCode).toBe(409)
  expect(app.resend.accepted).toHaveLength(4)
})

test('an editor sees the sums of an edition, and none of its buttons', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const editor = await signedIn(app, 'editor')
  await planNow(app)
  await submitOwed(app)
  const page = (await getAs(server, editor, `${URL}?tab=troubles`)).body
  expect(page).toContain('3 of 3 people were emailed.')
  expect(page).not.toContain(`action="${URL}`)
  for (const act of ['pause', 'resume', 'cancel', 'resend'])
    expect(
      (await postAs(server, editor, `${URL}/${act}`, { who: 'failed', generation: '0' })).statusCode,
    ).toBe(403)
})

test('a correction says what was wrong and how many people get it, before it is sent', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  await planNow(app)
  await submitOwed(app)
  expect((await getAs(server, operator, URL)).body).toContain(`href="${URL}/correct/1"`)
  expect((await getAs(server, operator, `${URL}/correct/1`)).body).toContain('change the session first')
  app.db.update(sessions).set({ therapist: 'Dr. Núñez' }).run()
  const page = (await getAs(server, operator, `${URL}/correct/1`)).body
  expect(page).toContain('the right therapist')
  expect(page).toContain('Email 3 people the correction')
  const form = { who: 'correct', session: '1', generation: '0' }
  expect((await postAs(server, operator, `${URL}/resend`, form)).statusCode).toBe(303)
  const going = (await getAs(server, operator, URL)).body
  for (const words of [
    'Resend 1 is going out.',
    '0 of 3 people were emailed.',
    '1 batch submitted · 1 batch to come',
  ])
    expect(going).toContain(words)
  expect((await postAs(server, operator, `${URL}/resend`, form)).statusCode).toBe(409)
  await submitOwed(app)
  expect(app.resend.accepted.filter(({ subject }) => subject.startsWith('A correction'))).toHaveLength(3)
  const editor = await signedIn(app, 'editor')
  expect((await getAs(server, editor, `${URL}/correct/1`)).statusCode).toBe(403)
})

test('a start is told in the session’s own zone, with the name of that zone', async () => {
  const app = await testApp()
  aSession(app, { group: 'Out West', startsAtLocal: '2026-12-01T19:00', timeZone: 'America/Los_Angeles' })
  aSubscriber(app, 'ada@sample.test')
  await planNow(app)
  const server = await operatorServer(app)
  const { body } = await getAs(server, await signedIn(app, 'editor'), '/editions/2026-11-23')
  expect(body.replace(/<[^>]*>/g, '')).toContain('Tue, Dec 1, 7:00 PM PST')
})
