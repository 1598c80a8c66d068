import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { importSubscribers } from '../../src/actions/imports/subscribers.ts'
import { ConnectionLost } from '../../src/db/trouble.ts'
import { testApp } from '../app.ts'
import { aDatabase } from '../db.ts'

const CONNECTIONS = 10

test('imports whose connection is cut save nothing, and leave no connection behind', async () => {
  const app = await testApp({ settings: { DATABASE_URL: await aDatabase() } })
  const cut = () =>
    app.db.$client
      .prepare(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'openseat'`,
      )
      .all()
  const bring = (file: Iterable<string>) =>
    importSubscribers(app, Readable.from(file), { consent: 'asked at the desk', skipInvalid: false })
  function* cutShort() {
    yield 'email\nada@sample.test\n'
    cut()
    yield 'noor@sample.test\n'
  }
  for (let done = 0; done < CONNECTIONS + 2; done += 1)
    await expect(bring(cutShort())).rejects.toThrow(ConnectionLost)
  expect(await bring(['email\niris@sample.test\n'])).toMatchObject({ report: { added: 1 } })
  expect(app.db.$client.prepare('select email from subscribers').all()).toEqual([
    { email: 'iris@sample.test' },
  ])
})
