import { expect, test } from '@jest/globals'
import { eq } from 'drizzle-orm'
import { aSession, aSubscriber, testApp } from '../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../test/operator.ts'
import { currentHold } from '../../db/restore/epoch.ts'
import { establishFact } from '../../db/restore/facts.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { signIns } from '../../db/schema/operators.ts'

async function aRestoredPractice() {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  const at = app.now().getTime()
  const hold = { reason: 'backup', since: at, knownThrough: at - 3_600_000 }
  await establishFact(app.store, 'held', JSON.stringify(hold))
  return { app, server: await operatorServer(app), operator: await signedIn(app, 'operator') }
}

test('Today leads to the release of a restored database, which says what may have gone out', async () => {
  const { app, server, operator } = await aRestoredPractice()
  expect((await getAs(server, operator, '/')).body).toContain('href="/release"')
  const { body } = await getAs(server, operator, '/release')
  expect(body).toContain('because a backup was put in place of the database.')
  expect(body).toContain('The edition of November 23, 2026, which this copy does not know: up to 1 person.')
  expect((await postAs(server, operator, '/release')).statusCode).toBe(422)
  expect(await currentHold(app.store)).toMatchObject({ reason: 'backup' })

  expect((await postAs(server, operator, '/release', { mode: 'safe' })).headers.location).toBe('/')
  expect((await getAs(server, operator, '/')).body).toContain('Emails go out again.')
  expect(await currentHold(app.store)).toBeNull()
  const [row] = app.db.select().from(auditLog).where(eq(auditLog.action, 'installation released')).all()
  expect(row).toMatchObject({ actor: `operator:${operator.operatorId}`, subject: 'backup', detail: 'safe' })
  expect((await getAs(server, operator, '/release')).body).toContain('Nothing is held back.')
})

test('only an operator or owner who has just proved who they are releases it', async () => {
  const { app, server, operator } = await aRestoredPractice()
  const editor = await signedIn(app, 'editor')
  expect((await postAs(server, editor, '/release', { mode: 'safe' })).statusCode).toBe(403)
  expect((await getAs(server, editor, '/')).body).not.toContain('href="/release"')
  app.db.update(signIns).set({ provenAt: null }).run()
  const { statusCode, headers } = await postAs(server, operator, '/release', { mode: 'safe' })
  expect([statusCode, headers.location]).toEqual([303, expect.stringMatching(/^\/prove/)])
  expect(await currentHold(app.store)).not.toBeNull()
})
