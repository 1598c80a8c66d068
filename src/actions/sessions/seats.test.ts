import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../../test/app.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { seatChanges, sessions } from '../../db/schema/sessions.ts'
import { actingAs } from '../operators/acting.ts'
import { openTimes } from './open-times.ts'
import { changeSeats, settleSeats, takeBackSeats } from './seats.ts'

const AT = '2026-11-23T15:00:00.000Z'
const [BEFORE, DUE] = ['2026-11-23T15:00:09.999Z', '2026-11-23T15:00:10.000Z']

const session = ({ db }: TestApp) => db.select().from(sessions).get()
const waiting = ({ db }: TestApp) => db.select().from(seatChanges).all()

test('a press counts after ten seconds, for whoever reads then, and several are one change', async () => {
  const app = await testApp({ at: AT })
  const id = aSession(app, { seatsLeft: 3, seatsTotal: 8 })
  const ann = {
    kind: 'operator',
    id: 7,
    role: 'editor',
    signInId: 1,
    provenAt: null,
    network: '192.0.2',
  } as const
  for (const [step, left] of [
    [1, 4],
    [1, 5],
    [-1, 4],
  ] as const)
    expect(await changeSeats(actingAs(app, ann), id, step)).toMatchObject({ seatsLeft: left })
  app.setNow(BEFORE)
  expect((await openTimes(app)).offers[0]?.seatsLeft).toBe(3)
  // The ten seconds start anew with each press.
  await changeSeats(actingAs(app, ann), id, 1)
  app.setNow(DUE)
  expect((await openTimes(app)).offers[0]?.seatsLeft).toBe(3)
  app.setNow('2026-11-23T15:00:20.000Z')
  expect((await openTimes(app)).offers[0]?.seatsLeft).toBe(5)
  expect(waiting(app)).toEqual([])
  expect(app.db.select().from(auditLog).all()).toMatchObject([
    {
      action: 'session seats',
      subject: String(id),
      detail: '3 to 5',
      actor: 'operator:7',
      network: '192.0.2',
    },
  ])
})

test('from none to one and back within ten seconds is no news; one that stays is', async () => {
  const app = await testApp({ at: AT })
  const id = aSession(app, { seatsLeft: 0, seatsTotal: 8, status: 'full' })
  const before = session(app)
  for (const undo of [() => changeSeats(app, id, -1), () => takeBackSeats(app, id)]) {
    await changeSeats(app, id, 1)
    await undo()
    app.setNow(DUE)
    await settleSeats(app)
    expect(session(app)).toEqual(before)
    app.setNow(AT)
  }
  await changeSeats(app, id, 1)
  app.setNow(DUE)
  expect(await takeBackSeats(app, id)).toBe('counted')
  await settleSeats(app)
  expect(session(app)).toMatchObject({ seatsLeft: 1, status: 'open', news: 'reopened' })
})

test('a press after the ten seconds leaves the one before counted', async () => {
  const app = await testApp({ at: AT })
  const id = aSession(app, { seatsLeft: 3 })
  await changeSeats(app, id, 1)
  app.setNow(DUE)
  expect(await changeSeats(app, id, 1)).toMatchObject({ seatsLeft: 5 })
  expect(session(app)?.seatsLeft).toBe(4)
  expect(await takeBackSeats(app, id)).toBe('undone')
})

test('an edition is planned with the seats that are due, and not with those that can be undone', async () => {
  const app = await testApp({ at: AT })
  aSubscriber(app, 'mara@sample.test')
  const [due, undoable] = [
    aSession(app, { seatsLeft: 1, group: 'Due' }),
    aSession(app, { seatsLeft: 1, group: 'Undoable' }),
  ]
  await changeSeats(app, due, -1)
  app.setNow(DUE)
  await changeSeats(app, undoable, -1)
  await planNow(app)
  app.setNow('2026-11-23T15:00:11.000Z')
  await submitOwed(app)
  expect(app.resend.accepted.map(({ text }) => [text.includes('Undoable'), text.includes('M  Due')])).toEqual(
    [[true, false]],
  )
})

test('several processes count a press once, and it outlives the one that took it', async () => {
  const app = await testApp({ at: AT, file: true })
  const id = aSession(app, { seatsLeft: 3 })
  const others = [await app.sibling(), await app.sibling()]
  await changeSeats(app, id, 1)
  app.setNow(DUE)
  await Promise.all([...others, ...others, app].map((process) => settleSeats(process)))
  expect(session(app)?.seatsLeft).toBe(4)
  expect(app.db.select().from(auditLog).all()).toHaveLength(1)
})

test('seats stay within what there is, whatever a file brings in the meantime', async () => {
  const app = await testApp({ at: AT })
  const id = aSession(app, { seatsLeft: 7, seatsTotal: 8 })
  await changeSeats(app, id, 1)
  expect(await changeSeats(app, id, 1)).toEqual({ kind: 'limit' })
  app.db.$client.exec('update sessions set seats_left = 8')
  app.setNow(DUE)
  await settleSeats(app)
  expect([session(app)?.seatsLeft, waiting(app)]).toEqual([8, []])
  app.db.$client.exec('update sessions set seats_left = null')
  expect(await changeSeats(app, id, 1)).toEqual({ kind: 'uncounted' })
  expect(await changeSeats(app, 99, 1)).toEqual({ kind: 'gone' })
})

testOnSqlite('while another program holds the lock, visitors see the seats that counted before', async () => {
  const app = await testApp({ at: AT, file: true })
  await changeSeats(app, aSession(app, { seatsLeft: 3 }), 1)
  app.setNow(DUE)
  const other = (await app.sibling()).db.$client
  other.exec('begin immediate')
  expect((await openTimes(app)).offers[0]?.seatsLeft).toBe(3)
  other.exec('rollback')
  expect((await openTimes(app)).offers[0]?.seatsLeft).toBe(4)
})
