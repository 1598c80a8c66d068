import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { moveTo } from '../../src/actions/restore/move.ts'
import { release } from '../../src/actions/restore/release.ts'
import { BadInput } from '../../src/core/errors.ts'
import { currentHold } from '../../src/db/restore/epoch.ts'
import { allSessions } from '../../src/db/sessions/sessions.ts'
import { openSqlite } from '../../src/db/sqlite/open.ts'
import type { Store } from '../../src/db/store.ts'
import { aSession, aSubscriber, planNow, submitOwed, testApp, testConfig } from '../app.ts'
import { aDatabase, dbOf, leaveDatabase } from '../db.ts'

let source: Store
let url: string

beforeEach(async () => {
  source = openSqlite(':memory:')
  url = await aDatabase()
})

afterEach(async () => {
  await source.close()
  await leaveDatabase(url)
})

/** An installation on SQLite with a submitted edition, and news that no one was shown. */
async function halfOfItsLife() {
  const app = await testApp({ store: source, settings: { DATABASE_URL: '' } })
  aSession(app, { group: 'Steady Ground' })
  aSubscriber(app, 'ada@sample.test', { topics: ['anxiety'] })
  await planNow(app)
  await submitOwed(app)
  dbOf(source).$client.exec("delete from sessions; update counters set value = value where name = 'seq'")
  aSession(app, { group: 'Open Water' })
  dbOf(source).$client.exec(
    "update groups set summary = 'For all.', language = 'es', place = 'Online', price = '$40'",
  )
  aSubscriber(app, 'noor@sample.test')
  return app
}

test('a moved installation is held, has every row, and goes on where it was', async () => {
  const app = await halfOfItsLife()
  const third = aSubscriber(app, 'sam@sample.test')
  const tables = await moveTo(app, url)
  expect(tables.find(({ table }) => table === 'subscribers')).toMatchObject({ rows: 3 })
  const there = await testApp({
    settings: { DATABASE_URL: url, LINK_SECRET: app.config.LINK_SECRET.join() },
    at: '2026-11-30T15:00:00.000Z',
  })
  expect(await allSessions(there.store)).toMatchObject([
    { summary: 'For all.', language: 'es', place: 'Online', price: '$40', topicNames: { es: 'Ansiedad' } },
  ])
  expect(await currentHold(there.store)).toMatchObject({ reason: 'moved' })
  expect(await release(there, 'go-on')).toMatchObject({ recipients: 0, editions: [] })
  await planNow(there)
  await submitOwed(there)
  expect(there.resend.accepted.map(({ to }) => to[0]).sort()).toEqual([
    'ada@sample.test',
    'noor@sample.test',
    'sam@sample.test',
  ])
  expect(there.resend.accepted[0]?.text).not.toContain('Steady Ground')
  expect(aSession(there, { group: 'Later' })).toBeGreaterThan(2)
  expect(aSubscriber(there, 'zoe@sample.test')).toBeGreaterThan(third)
})

test('a database that is not empty is refused, and nothing is written to it', async () => {
  const app = await halfOfItsLife()
  await moveTo(app, url)
  await expect(moveTo(app, url)).rejects.toThrow(BadInput)
  await expect(moveTo(app, url)).rejects.toThrow('is not empty (topics has rows)'.replace('topics', 'groups'))
})

test('killed half-way, nothing has arrived, and it can start again', async () => {
  const app = await halfOfItsLife()
  const broken: Store = {
    ...source,
    write: (work, options) =>
      source.write(
        (tx) =>
          work(
            new Proxy(tx, {
              get(target, name) {
                if (name !== 'all') return Reflect.get(target, name) as unknown
                return (query: never) => {
                  if (asked++ > 10) throw new Error('killed')
                  return target.all(query)
                }
              },
            }),
          ),
        options,
      ),
  }
  let asked = 0
  await expect(moveTo({ ...app, store: broken }, url)).rejects.toThrow('killed')
  expect(await moveTo(app, url)).not.toEqual([])
})

test('an installation that is on Postgres already is refused', async () => {
  const config = testConfig({ DATABASE_URL: url })
  const store = { ...source, sqlite: null }
  await expect(moveTo({ config, store, now: () => new Date() }, url)).rejects.toThrow('on Postgres already')
})
