import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { testApp } from '../../../test/app.ts'
import { SESSION_COLUMNS } from '../../core/intake/records.ts'
import { sessionsTemplate } from '../../core/intake/session-template.ts'
import { allSessions, openSessions } from '../../db/sessions/sessions.ts'
import { importSessions, previewSessionsFile } from './sessions.ts'

test('the template has every column, imports cleanly, and shows no one anything', async () => {
  const app = await testApp()
  const template = sessionsTemplate()
  expect(template.split('\n')[0]).toBe(SESSION_COLUMNS.known.join())
  const file = () => Readable.from([template])
  const report = { added: 2, updated: 0, unchanged: 0, rejected: [] }
  expect(await previewSessionsFile(app, file(), { skipInvalid: false })).toMatchObject({
    kind: 'previewed',
    report,
  })
  expect(await allSessions(app.store)).toEqual([])
  expect(await importSessions(app, file(), { skipInvalid: false })).toEqual({ kind: 'imported', report })
  expect((await allSessions(app.store)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
  expect((await openSessions(app.store, app.now())).sessions).toEqual([])
})
