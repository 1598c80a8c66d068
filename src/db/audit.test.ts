import { expect, test } from '@jest/globals'
import { aSubscriber, testApp } from '../../test/app.ts'
import { actingAs } from '../actions/operators/acting.ts'
import { type Actor } from '../core/operators/actor.ts'
import { audit, checkAudit, pruneAudit, recordOf } from './audit.ts'
import { asc, eq, sql } from './drizzle.ts'
import { renewLinksIn } from './people/links.ts'
import { auditLog } from './schema/installation.ts'
import { subscribers } from './schema/people.ts'

const OWNER: Actor = {
  kind: 'operator',
  id: 7,
  role: 'owner',
  signInId: 1,
  provenAt: null,
  network: '192.0.2',
}
const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 15, minute))

async function aRecord(rows = 5) {
  const app = await testApp()
  const mine = actingAs(app, OWNER)
  for (let n = 0; n < rows; n += 1)
    await recordOf(mine.store, at(n), {
      action: 'edition paused',
      subject: '2026-11-23',
      detail: `reason ${n}`,
    })
  return { app, mine, rows: () => app.db.select().from(auditLog).orderBy(asc(auditLog.id)).all() }
}

test('a row says who did it and from where, and the record is whole', async () => {
  const { app, rows } = await aRecord()
  expect(rows()[0]).toMatchObject({
    actor: 'operator:7',
    network: '192.0.2',
    subject: '2026-11-23',
    detail: 'reason 0',
  })
  await recordOf(app.store, at(9), { action: 'x', subject: 'y' })
  expect(rows().at(-1)).toMatchObject({ actor: 'system', network: null })
  expect(await checkAudit(app.store)).toEqual({ kind: 'whole', rows: 6 })
})

test('what is on record is neither changed nor deleted, also by plain SQL', async () => {
  const { app, rows } = await aRecord()
  const before = rows()
  const set = (column: string, value: string) => () =>
    app.db.$client.exec(`update audit_log set ${column} = ${value} where id = 2`)
  for (const column of ['actor', 'action', 'detail', 'subject', 'network', 'digest', 'chain'])
    expect(set(column, "'x'")).toThrow('what is on record is not changed')
  expect(set('at', '0')).toThrow('what is on record is not changed')
  expect(() => app.db.$client.exec('delete from audit_log where id = 5')).toThrow(
    'deleted by retention alone',
  )
  expect(rows()).toEqual(before)
})

test('no row passes for one of an erased person, or of another reader', async () => {
  const { app, mine, rows } = await aRecord(1)
  const id = aSubscriber(app, 'mara@sample.test')
  aSubscriber(app, 'lena@sample.test')
  const readers = app.db.select().from(subscribers).all()
  const publicId = readers.find((reader) => reader.id === id)?.publicId ?? ''
  await recordOf(mine.store, at(2), { action: 'reader looked at', subject: publicId, detail: 'called' })
  const before = rows()
  for (const lie of [
    "subject = 'erased', salt = null, detail = null where id = 1",
    "subject = 'erased', salt = null, detail = 'a lie' where id = 2",
    "subject = 'x234567890123456789012', salt = null where id = 2",
    "salt = null, detail = 'a lie' where id = 2",
  ])
    expect(() => app.db.$client.exec(`update audit_log set ${lie}`)).toThrow('is not changed')
  expect(rows()).toEqual(before)
})

test('what is written or removed meanwhile is not taken for a gap', async () => {
  const { app, mine } = await aRecord(40)
  const states = await Promise.all([
    checkAudit(app.store),
    recordOf(mine.store, at(50), { action: 'x', subject: 'y' }),
    checkAudit(app.store),
    app.store.write((tx) => pruneAudit(tx, at(30), 20)),
    checkAudit(app.store),
  ])
  expect([states[0], states[2], states[4]].map((state) => state?.kind)).toEqual(['whole', 'whole', 'whole'])
})

// As someone would who may do anything to the database.
test.each([
  ['a changed time', (id: number) => `update audit_log set at = at + 1 where id = ${id}`],
  ['a changed actor', (id: number) => `update audit_log set actor = 'operator:8' where id = ${id}`],
  ['a changed action', (id: number) => `update audit_log set action = 'edition resumed' where id = ${id}`],
  ['a changed reason', (id: number) => `update audit_log set detail = 'another' where id = ${id}`],
  [
    'a changed subject',
    (id: number) => `update audit_log set subject = '2026-11-16', salt = null where id = ${id}`,
  ],
  ['a row that is gone', (id: number) => `delete from audit_log where id = ${id}`],
])('%s shows', async (_what, change) => {
  const { app } = await aRecord()
  const triggers = ['audit_log_kept', 'audit_log_undeleted']
  for (const name of triggers)
    app.db.$client.exec(
      app.store.sqlite ? `drop trigger ${name}` : `alter table audit_log disable trigger ${name}`,
    )
  app.db.$client.exec(change(3))
  expect(await checkAudit(app.store)).toMatchObject({
    kind: 'broken',
    id: change(3).startsWith('delete') ? 4 : 3,
  })
})

test('the newest rows cannot be cut off without a trace', async () => {
  const { app } = await aRecord()
  app.db.$client.exec(
    app.store.sqlite
      ? 'drop trigger audit_log_undeleted'
      : 'alter table audit_log disable trigger audit_log_undeleted',
  )
  app.db.$client.exec('delete from audit_log where id > 3')
  expect(await checkAudit(app.store)).toEqual({ kind: 'broken', id: null, at: null })
})

test('who is erased leaves what was done, not to whom, and the record stays whole', async () => {
  const { app, mine, rows } = await aRecord(1)
  const id = aSubscriber(app, 'mara@sample.test')
  const [reader] = app.db.select().from(subscribers).where(eq(subscribers.id, id)).all()
  const publicId = reader?.publicId ?? ''
  await recordOf(mine.store, at(2), { action: 'reader looked at', subject: publicId, detail: 'called' })
  if (reader) await mine.store.write((tx) => renewLinksIn(tx, reader, 'renew-links', at(3)))
  expect(await checkAudit(app.store)).toMatchObject({ kind: 'whole' })
  app.db.delete(subscribers).where(eq(subscribers.id, id)).run()
  expect(rows().map(({ subject }) => subject)).toEqual(['2026-11-23', 'erased', 'erased'])
  expect(JSON.stringify(rows())).not.toContain(publicId)
  expect(await checkAudit(app.store)).toMatchObject({ kind: 'whole', rows: 3 })
})

test('retention removes the oldest rows, and the rest is still whole', async () => {
  const { app, rows } = await aRecord()
  await app.store.write((tx) => pruneAudit(tx, at(3), 2))
  await app.store.write((tx) => pruneAudit(tx, at(3), 2))
  expect(await app.store.write((tx) => pruneAudit(tx, at(3), 2))).toBe(0)
  expect(rows().map(({ detail }) => detail)).toEqual(['reason 3', 'reason 4'])
  expect(await checkAudit(app.store)).toEqual({ kind: 'whole', rows: 2 })
})

test('rows of an earlier release have no place in the chain, and do not break it', async () => {
  const app = await testApp()
  const earlier = { at: 0, action: 'edition paused', subject: '2026-11-16' }
  app.db.insert(auditLog).values([earlier, earlier]).run()
  await recordOf(app.store, at(0), { action: 'x', subject: 'y' })
  expect(await checkAudit(app.store)).toEqual({ kind: 'whole', rows: 1 })
})

test('what is taken back leaves nothing on record', async () => {
  const { app, mine } = await aRecord()
  const failed = mine.store.write(async (tx) => {
    await audit(tx, at(9), { action: 'x', subject: 'y' })
    await tx.run(sql`select 1 from no_such_table`)
  })
  await expect(failed).rejects.toThrow()
  await recordOf(app.store, at(9), { action: 'z', subject: 'y' })
  expect(await checkAudit(app.store)).toEqual({ kind: 'whole', rows: 6 })
})
