import { expect, test } from '@jest/globals'
import { aSession, type TestApp, testApp } from '../../../test/app.ts'
import { uncheck } from '../../../test/db.ts'
import type { Logger } from '../../log.ts'
import { warnOfLeftOut } from './left-out.ts'

test('each session that is left out is warned about once, and again if it was right in between', async () => {
  const app = await testApp()
  uncheck(app.db, 'sessions')
  aSession(app, { externalId: 'one' })
  aSession(app, { externalId: 'two' })
  start(app, 'one', 'whenever')
  // Without the program's log, which leaves out what it said in the last minute.
  const warned: string[] = []
  const log = { ...app.log, warn: ({ session }: { session: string }) => void warned.push(session) } as Logger
  const sweep = () => warnOfLeftOut({ store: app.store, log })
  for (let swept = 0; swept < 3; swept += 1) await sweep()
  expect(warned).toEqual(['one'])
  start(app, 'two', 'soon')
  await sweep()
  expect(warned).toEqual(['one', 'two'])
  start(app, 'one', '2026-12-01T10:00')
  await sweep()
  start(app, 'one', 'whenever')
  await sweep()
  expect(warned).toEqual(['one', 'two', 'one'])
})

function start(app: TestApp, session: string, at: string): void {
  app.db.$client.exec(`update sessions set starts_at_local = '${at}' where external_id = '${session}'`)
}
