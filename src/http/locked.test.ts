import { expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { afterTest, aSession, aSubscriber, LINK_SECRET, type TestApp, testApp } from '../../test/app.ts'
import { exportSubscriber } from '../actions/subscribers/records.ts'
import { signToken } from '../core/tokens.ts'
import { buildServer } from './server.ts'

const ID = 'AdasPublicId0000000000'
const UNSUBSCRIBE = `/unsubscribe/${signToken(LINK_SECRET, 'unsubscribe', ID)}`

test('one click waits for another program without stopping the process, and is done when that ends', async () => {
  const { app, server, lock } = await served()
  lock.exec('begin immediate')
  let answered = false
  const click = server.inject({ method: 'POST', url: UNSUBSCRIBE, payload: 'List-Unsubscribe=One-Click' })
  void click.then(() => {
    answered = true
  })
  for (const url of ['/healthz', '/sessions']) expect((await server.inject(url)).statusCode).toBe(200)
  expect(answered).toBe(false)
  lock.exec('rollback')
  expect((await click).statusCode).toBe(200)
  expect(statusOf(app)).toBe('unsubscribed')
})

test('while it lasts, one-click and every form get 503 with Retry-After, and the log says what to look for', async () => {
  const { app, server, lock } = await served()
  lock.exec('begin exclusive')
  for (const url of [UNSUBSCRIBE, `${UNSUBSCRIBE}/pause`]) {
    const answer = await server.inject({ method: 'POST', url })
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '10'])
    expect(answer.body).toContain('Nothing was changed')
  }
  expect(app.logged()).toMatch(/another program holds it locked; look for .*close it or wait/)
  lock.exec('rollback')
  expect(statusOf(app)).toBe('active')
  expect((await server.inject({ method: 'POST', url: UNSUBSCRIBE })).statusCode).toBe(200)
})

test('what only reads opens the database beside such a lock, without waiting', async () => {
  const { app, lock } = await served()
  lock.exec('begin immediate')
  const began = performance.now()
  const other = await app.sibling()
  expect(await exportSubscriber(other, 'ada@sample.test')).toMatchObject({ kind: 'found' })
  expect(performance.now() - began).toBeLessThan(4_000) // a write waits five seconds for a lock
  lock.exec('rollback')
})

async function served() {
  const app = await testApp({ file: true })
  aSession(app)
  aSubscriber(app, 'ada@sample.test', { publicId: ID })
  const lock = new Database(app.config.DATABASE_PATH)
  afterTest(async () => void lock.close())
  return { app, server: await buildServer(app), lock }
}

const statusOf = (app: TestApp) =>
  app.db.$client.prepare('select status from subscribers where public_id = ?').pluck().get(ID)
