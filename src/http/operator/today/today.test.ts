import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../../test/operator.ts'
import { comingEdition } from '../../../actions/editions/coming.ts'
import { findEdition } from '../../../db/ledger/editions.ts'
import { auditLog } from '../../../db/schema/installation.ts'
import { subscribers } from '../../../db/schema/people.ts'

// A Saturday, two days before the slot.
const SATURDAY = '2026-11-28T14:00:00.000Z'
const ID = '2026-11-30'

async function aPractice(readers = 3): Promise<TestApp> {
  const app = await testApp({ at: SATURDAY })
  aSession(app, { topic: 'ocd', group: 'Loose Ends', startsAtLocal: '2026-12-01T19:00' })
  for (let n = 0; n < readers; n += 1) aSubscriber(app, `reader-${n}@sample.test`)
  return app
}

const words = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

test('an empty practice is told what comes first', async () => {
  const app = await testApp({ at: SATURDAY })
  const server = await operatorServer(app)
  const { body } = await getAs(server, await signedIn(app, 'editor'), '/')
  expect(words(body)).toContain('Monday 9:00 AM EST, in 2 days: Nobody is on the list yet.')
  expect(body).toContain('href="/sessions/new"')
  expect(words(body)).toContain('There has been none yet.')
})

test('one sentence says when, how many people, and how many group times', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  await planNow(app)
  await submitOwed(app)
  aSession(app, { topic: 'grief-and-loss', group: 'After', startsAtLocal: '2026-12-02T18:00' })
  const today = words((await getAs(server, operator, '/')).body)
  expect(today).toContain('3 of 3 people get 1 group time.')
  expect(today).toContain('After')
  expect(today).not.toContain('Loose Ends')
  expect(today).toContain('November 23, 2026 : 3 of 3 people were emailed.')
  expect(today).toContain('What needs you Nothing.')
})

test('an operator holds the coming edition and lets it go; it says so', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  expect((await postAs(server, operator, '/hold', { id: ID })).headers.location).toBe('/')
  expect((await comingEdition(app)).state).toBe('held')
  expect(words((await getAs(server, operator, '/')).body)).toContain('Someone holds the coming edition.')
  await postAs(server, operator, '/approve', { id: ID })
  expect((await comingEdition(app)).state).toBe('approved')
  expect((await postAs(server, operator, '/hold', { id: '2026-11-02' })).statusCode).toBe(409)
  const editor = await signedIn(app, 'editor')
  for (const url of ['/hold', '/approve', '/send-now'])
    expect((await postAs(server, editor, url, { id: ID })).statusCode).toBe(403)
  expect((await getAs(server, editor, '/')).body).not.toContain('action="/hold"')
})

test('Send now sends what was shown, once, and refuses when group times have changed', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  const page = (await getAs(server, operator, '/send-now')).body
  expect(words(page)).toContain('Email 3 people now')
  const version = /name="version" value="(\d+)"/.exec(page)?.[1] ?? ''
  aSession(app, { topic: 'ocd', group: 'Another', startsAtLocal: '2026-12-03T19:00' })
  const old = await postAs(server, operator, '/send-now', { id: ID, version })
  expect([old.statusCode, words(old.body)]).toEqual([
    409,
    expect.stringContaining('group times have changed'),
  ])
  expect(await findEdition(app.store, ID)).toBeNull()

  const now = /name="version" value="(\d+)"/.exec(old.body)?.[1] ?? ''
  const pressed = await Promise.all(
    [1, 2].map(() => postAs(server, operator, '/send-now', { id: ID, version: now })),
  )
  expect(pressed.map(({ statusCode }) => statusCode)).toContain(303)
  await submitOwed(app)
  expect(app.resend.accepted).toHaveLength(3)
})

test('a test copy goes to the operator alone, and leaves no trace in the ledger', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const editor = await signedIn(app, 'editor')
  expect(
    (await postAs(server, editor, '/test', { reader: 'discreet', back: 'preview' })).headers.location,
  ).toBe('/preview?reader=discreet')
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([[expect.stringMatching(/^editor-/)]])
  expect(await findEdition(app.store, ID)).toBeNull()
})

test('the preview shows an invented reader’s email in a frame that runs nothing and has no origin', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const editor = await signedIn(app, 'editor')
  const page = (await getAs(server, editor, '/preview?reader=spanish&mode=dark')).body
  expect(page).toContain(
    '<iframe class="phone" src="/preview/mail?reader&#x3D;spanish&amp;mode&#x3D;dark&amp;part&#x3D;html" sandbox',
  )
  const mail = await getAs(server, editor, '/preview/mail?reader=spanish&mode=dark')
  expect(mail.headers['content-security-policy']).toBe(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; frame-ancestors 'self'",
  )
  expect(mail.body).toContain('Loose Ends')
  expect(mail.body).toContain('lang="es"')
  expect((await getAs(server, editor, '/preview/mail?part=text')).body).toContain('<pre>')
})

test('one person’s email is shown to who may see readers, and that they looked is on record', async () => {
  const app = await aPractice()
  const server = await operatorServer(app)
  const [operator, editor] = [await signedIn(app, 'operator'), await signedIn(app, 'editor')]
  const found = await postAs(server, operator, '/preview/find', { email: 'reader-1@sample.test' })
  const [, row] = app.db.select().from(subscribers).all()
  expect(found.headers.location).toBe(`/preview?for=${row?.publicId}`)
  expect((await getAs(server, operator, String(found.headers.location))).statusCode).toBe(200)
  expect((await getAs(server, operator, `/preview/mail?for=${row?.publicId}`)).body).toContain('Loose Ends')
  expect(app.db.select().from(auditLog).all()).toContainEqual(
    expect.objectContaining({ action: 'reader looked at', subject: row?.publicId }),
  )
  expect((await postAs(server, editor, '/preview/find', { email: 'reader-1@sample.test' })).statusCode).toBe(
    403,
  )
  for (const url of [`/preview?for=${row?.publicId}`, `/preview/mail?for=${row?.publicId}`])
    expect((await getAs(server, editor, url)).statusCode).toBe(403)
})
