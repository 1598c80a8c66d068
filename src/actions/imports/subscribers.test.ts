import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { dbOf } from '../../../test/db.ts'
import { aFolder } from '../../../test/folder.ts'
import { BadInput } from '../../core/errors.ts'
import { newHashKey } from '../../core/tokens.ts'
import { personalDataOf } from '../../db/people/personal-data.ts'
import { findByEmailHash } from '../../db/people/subscribers.ts'
import { openSqlite } from '../../db/sqlite/open.ts'
import {
  keyOf,
  resubscribe,
  resubscribeEmail,
  unsubscribe,
  unsubscribeEmail,
} from '../subscribers/consent.ts'
import { erase, exportSubscriber, showSubscriber } from '../subscribers/records.ts'
import { importSubscribers } from './subscribers.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const [MARA, JONAS, INES] = ['mara@sample.test', 'jonas@sample.test', 'ines@sample.test']

function practice(path = ':memory:') {
  const store = openSqlite(path)
  const db = dbOf(store)
  const config = { DIGEST_TIME_ZONE: 'America/Chicago', LOCALE: 'en', RETENTION_DAYS: 400 }
  const app = { store, db, hashKey: newHashKey(), config, now: () => NOW }
  return {
    ...app,
    take: (file: string, skipInvalid = false) =>
      importSubscribers(app, Readable.from([file]), {
        consent: 'Ticked the box at intake, 2025',
        skipInvalid,
      }),
    find: (email: string) => findByEmailHash(store, keyOf(app.hashKey, email)),
    topicsOf: async (email: string) => (await personalDataOf(store, keyOf(app.hashKey, email))).topics,
    run: (sql: string) => db.$client.exec(sql),
    rows: (sql: string) => db.$client.prepare(sql).all(),
    [Symbol.dispose]: () => store.close(),
  }
}

const counts = (added: number, updated: number, unchanged: number) => ({ added, updated, unchanged })

test('new subscribers are active with the consent on record; what the file leaves out has its default', async () => {
  using at = practice()
  const result = await at.take(
    `email,name,time_zone,topics\n ${MARA.toUpperCase()} ,Mara,Europe/Berlin,anxiety;ocd\n${JONAS},,,\n`,
  )
  expect(result).toEqual({ kind: 'imported', report: { ...counts(2, 0, 0), rejected: [] } })
  expect(await at.find(MARA)).toMatchObject({
    ...{ email: MARA, name: 'Mara', status: 'active', timeZone: 'Europe/Berlin', seenThrough: 0 },
    ...{ consentText: 'Ticked the box at intake, 2025', consentSource: 'import', consentedAt: NOW.getTime() },
  })
  expect(await at.topicsOf(MARA)).toEqual([
    { topic: 'anxiety', chosen: true, seenThrough: null },
    { topic: 'ocd', chosen: true, seenThrough: null },
  ])
  expect(await at.find(JONAS)).toMatchObject({ name: null, timeZone: 'America/Chicago' })
  expect(await at.topicsOf(JONAS)).toEqual([])
})

const HOW = 'write a tag like en, es or es-MX'

test('a language is kept in its usual spelling, changed where the file gives it, and checked', async () => {
  using at = practice()
  await at.take(`email,locale\n${MARA},ES-mx\n${JONAS},\n`)
  expect(await at.find(MARA)).toMatchObject({ locale: 'es-MX' })
  expect(await at.find(JONAS)).toMatchObject({ locale: 'en' })
  const again = await at.take(`email,locale\n${MARA},\n${JONAS},es\n`)
  expect(again).toMatchObject({ report: counts(0, 1, 1) })
  expect(await at.find(MARA)).toMatchObject({ locale: 'es-MX' })
  expect(await at.find(JONAS)).toMatchObject({ locale: 'es' })
  for (const wrong of ['es_MX', 'english', 'qq', 'x!'])
    expect(await at.take(`email,name,locale\n${MARA},Mara,${wrong}\n`)).toMatchObject({
      kind: 'refused',
      report: {
        rejected: [{ line: 2, field: 'locale', message: `has the unknown language "${wrong}"; ${HOW}` }],
      },
    })
})

test('consent must be stated', async () => {
  using at = practice()
  const taken = importSubscribers(at, Readable.from([`email\n${MARA}\n`]), {
    consent: ' ',
    skipInvalid: false,
  })
  await expect(taken).rejects.toThrow(BadInput)
  expect(await at.find(MARA)).toBeNull()
})

test('an active subscriber is updated only where the file differs', async () => {
  using at = practice()
  const file = `email,name,topics\n${MARA},Mara,anxiety;ocd\n${JONAS},Jonas,\n${INES},Ines,ocd\n`
  await at.take(file)
  expect(await at.take(file)).toMatchObject({ report: counts(0, 0, 3) })
  at.run('update subscribers set seen_through = 40')
  expect(
    await at.take(`email,name,topics\n${MARA},,ocd;anxiety\n${JONAS},Jon,\n${INES},,grief-and-loss\n`),
  ).toMatchObject({
    report: counts(0, 2, 1),
  })
  expect(await at.find(MARA)).toMatchObject({ name: 'Mara' })
  expect(await at.find(JONAS)).toMatchObject({ name: 'Jon', timeZone: 'America/Chicago' })
  expect(await at.topicsOf(INES)).toEqual([
    { topic: 'grief-and-loss', chosen: true, seenThrough: 0 },
    { topic: 'ocd', chosen: false, seenThrough: 40 },
  ])
})

test('a repeated address, one that unsubscribed, one not confirmed and one suppressed are reported and not revived', async () => {
  using at = practice()
  await at.take(`email\n${MARA}\n${JONAS}\n`)
  await unsubscribeEmail(at, MARA)
  at.run("update subscribers set status = 'pending' where email like 'jonas%'")
  at.run(`insert into suppressions values ('${keyOf(at.hashKey, INES)}', 'complaint', 1)`)
  const file = `email,name\n${MARA},New name\n${JONAS},\n${INES},\nbo@sample.test,Bo\nBO@Sample.test,Bob\n`
  expect(await at.take(file)).toEqual({
    kind: 'imported',
    report: {
      ...counts(1, 0, 0),
      rejected: [
        { line: 2, field: 'email', message: 'has unsubscribed; an import does not bring them back' },
        { line: 3, field: 'email', message: 'has not confirmed yet; an import does not confirm for them' },
        { line: 4, field: 'email', message: 'is suppressed (complaint); it must get no email' },
        { line: 6, field: 'email', message: 'is on line 5 already, which counts' },
      ],
    },
  })
  expect(await at.find(MARA)).toMatchObject({ status: 'unsubscribed', name: null })
  expect(await at.find(JONAS)).toMatchObject({ status: 'pending' })
  expect(await at.find(INES)).toBeNull()
  expect(await at.find('bo@sample.test')).toMatchObject({ name: 'Bo' })
})

test('an invalid row refuses the whole file, or is left out with skipInvalid; its address is not repeated', async () => {
  using at = practice()
  const file = `email,time_zone\n${MARA},\njonas@@sample.test,\n${INES},Mars/Base\n`
  const refused = await at.take(file)
  expect(refused).toMatchObject({
    kind: 'refused',
    report: {
      ...counts(0, 0, 0),
      rejected: [
        { line: 3, field: 'email' },
        { line: 4, field: 'time_zone' },
      ],
    },
  })
  expect(JSON.stringify(refused)).not.toContain('jonas')
  expect(await at.find(MARA)).toBeNull()
  expect(await at.take(file, true)).toMatchObject({ kind: 'imported', report: counts(1, 0, 0) })
})

test('unsubscribing works by link and by address, again and again', async () => {
  using at = practice()
  await at.take(`email\n${MARA}\n${JONAS}\n`)
  const publicId = (await at.find(MARA))?.publicId ?? ''
  expect(await unsubscribe(at, publicId)).toEqual({ kind: 'unsubscribed' })
  expect(await unsubscribe(at, publicId)).toEqual({ kind: 'already' })
  expect(await unsubscribeEmail(at, ' Jonas@Sample.TEST ')).toEqual({ kind: 'unsubscribed' })
  expect(await unsubscribeEmail(at, INES)).toEqual({ kind: 'not-found' })
  expect(await at.find(MARA)).toMatchObject({ status: 'unsubscribed', unsubscribedAt: NOW.getTime() })
  await expect(unsubscribeEmail(at, 'mara@@sample.test')).rejects.toThrow(/^EMAIL has more than one @/)
})

test('resubscribing undoes an unsubscription and nothing else', async () => {
  using at = practice()
  await at.take(`email\n${MARA}\n${JONAS}\n`)
  await unsubscribeEmail(at, MARA)
  expect(await resubscribeEmail(at, MARA)).toEqual({ kind: 'resubscribed' })
  expect(await resubscribeEmail(at, MARA)).toEqual({ kind: 'already' })
  expect(await at.find(MARA)).toMatchObject({ status: 'active', unsubscribedAt: null })
  at.run("update subscribers set status = 'pending' where email like 'jonas%'")
  expect(await resubscribe(at, (await at.find(JONAS))?.publicId ?? '')).toEqual({ kind: 'pending' })
  expect(await resubscribeEmail(at, INES)).toEqual({ kind: 'not-found' })

  await unsubscribeEmail(at, MARA)
  at.run(`insert into suppressions values ('${keyOf(at.hashKey, MARA)}', 'complaint', 1)`)
  expect(await resubscribeEmail(at, MARA)).toEqual({ kind: 'suppressed', reason: 'complaint' })
  expect(await at.find(MARA)).toMatchObject({ status: 'unsubscribed' })
})

function withAnEdition(at: ReturnType<typeof practice>): void {
  at.run(`
    insert into editions (id, scheduled_for, state, through_seq, audience_through, created_at)
      values ('2026-11-23', 1, 'submitting', 9, 9, 1), ('2026-11-16', 1, 'submitted', 5, 9, 1);
    insert into batches (id, edition_id, generation, number, key, state, size, first_attempt_at) values
      (1, '2026-11-16', 0, 1, 'k1', 'submitted', 1, 5), (2, '2026-11-23', 0, 1, 'k2', 'planned', 1, null),
      (3, '2026-11-23', 1, 1, 'k3', 'submitting', 1, 6);
    insert into deliveries (edition_id, subscriber_id, generation, batch_id, state, frozen, provider_id) values
      ('2026-11-16', 1, 0, 1, 'submitted', '{"email":"${MARA}"}', 're_1'),
      ('2026-11-23', 1, 0, 2, 'waiting', null, null), ('2026-11-23', 1, 1, 3, 'waiting', '{"email":"${MARA}"}', null)`)
}

test('the export has everything stored about a person', async () => {
  using at = practice()
  await at.take(`email,name,topics\n${MARA},Mara,ocd\n`)
  withAnEdition(at)
  expect(await exportSubscriber(at, MARA)).toMatchObject({
    kind: 'found',
    record: {
      subscriber: { email: MARA, name: 'Mara', consentText: 'Ticked the box at intake, 2025' },
      topics: [{ topic: 'ocd', chosen: true }],
      deliveries: [
        { edition: '2026-11-16', generation: 0, state: 'submitted', providerId: 're_1' },
        { edition: '2026-11-23', generation: 0, state: 'waiting' },
        { edition: '2026-11-23', generation: 1, state: 'waiting' },
      ],
      suppression: null,
      retentionDays: 400,
    },
  })
  expect(await exportSubscriber(at, JONAS)).toEqual({ kind: 'not-found' })
  expect(await showSubscriber(at, MARA)).toMatchObject({
    kind: 'found',
    subscriber: { status: 'active', topics: ['ocd'], consent: { source: 'import', at: NOW.toISOString() } },
  })
  expect(await showSubscriber(at, JONAS)).toEqual({ kind: 'not-found', suppressed: null })
})

test('erasing removes the person and keeps the ledger whole, and no later import can email them', async () => {
  using at = practice()
  await at.take(`email,topics\n${MARA},ocd\n`)
  withAnEdition(at)
  expect(await erase(at, MARA)).toEqual({ kind: 'erased', left: { logSince: null, inFlight: 1 } })
  expect(
    at.rows(
      'select subscriber_id s, batch_id b, state, reason, frozen is null f from deliveries order by id',
    ),
  ).toEqual([
    { s: null, b: 1, state: 'submitted', reason: null, f: 1 },
    { s: null, b: 2, state: 'excluded', reason: 'erased', f: 1 },
    // Attempted, outcome not known: a retry must send the same bytes.
    { s: null, b: 3, state: 'waiting', reason: null, f: 0 },
  ])
  expect(at.rows('select * from subscriber_topics')).toEqual([])
  expect(at.rows("select action from audit_log where action = 'erase' and subject = 'erased'")).toHaveLength(
    1,
  )
  expect(await at.take(`email\n${MARA}\n`)).toMatchObject({
    kind: 'imported',
    report: {
      ...counts(0, 0, 0),
      rejected: [{ line: 2, message: expect.stringContaining('suppressed (erased)') }],
    },
  })
  expect(await resubscribeEmail(at, MARA)).toEqual({ kind: 'suppressed', reason: 'erased' })
  expect(await erase(at, MARA)).toEqual({ kind: 'already' })
  expect(await erase(at, JONAS)).toEqual({ kind: 'not-found' })
})

test('after erasing, the address is not in the bytes of the database either', async () => {
  const path = join(aFolder(), 'openseat.db')
  using at = practice(path)
  await at.take(`email,name\n${MARA},Mara\n${JONAS},Jonas\n`)
  const bytes = () => ['', '-wal'].map((suffix) => readFileSync(path + suffix, 'latin1')).join()
  expect(bytes()).toContain(MARA)
  await erase(at, MARA)
  expect(bytes()).not.toContain(MARA)
  expect(bytes()).toContain(JONAS)
})

test('many subscribers with changed topics are all updated', async () => {
  using at = practice()
  const file = (topics: string) =>
    `email,topics\n${Array.from({ length: 1201 }, (_, n) => `p${n}@sample.test,${topics}\n`).join('')}`
  await at.take(file('ocd'))
  expect(await at.take(file('ocd;anxiety'))).toMatchObject({ report: counts(0, 1201, 0) })
  expect(await at.take(file('anxiety;ocd'))).toMatchObject({ report: counts(0, 0, 1201) })
})
