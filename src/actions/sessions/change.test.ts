import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import type { Given } from '../../core/intake/new-session.ts'
import { READER } from '../../core/operators/actor.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { groups, seatChanges, sessions } from '../../db/schema/sessions.ts'
import { actingAs, NotAllowed } from '../operators/acting.ts'
import { addByHand, lookAtNew } from './add-by-hand.ts'
import { agenda } from './agenda.ts'
import { changeSession, consequenceOf } from './change.ts'
import { addTopic, changeGroup, changeTopic, consequenceOfGroup } from './change-group.ts'
import { readersShown } from './readers-shown.ts'
import { changeSeats, takeBackSeats } from './seats.ts'

const GIVEN: Given = {
  ...{ group: 'Steady Ground', topic: 'anxiety', kind: 'therapy', therapist: 'Dr. Mira Lee' },
  ...{ starts_at: '12/1/2026 7:00 PM', time_zone: 'Eastern', duration_minutes: '90', repeats: 'weekly' },
  ...{ occurrences: '', seats_total: '', seats_left: '', status: 'open' },
  booking_url: 'https://book.harbor.test/steady-ground',
}
const LATER = { ...GIVEN, starts_at: '12/1/2026 8:00 PM' }

const rowOf = (app: TestApp, id: number) => {
  const row = app.db
    .select()
    .from(sessions)
    .all()
    .find((one) => one.id === id)
  if (row === undefined) throw new Error('gone')
  return row
}
const editOf = (app: TestApp, id: number, given: Given) => ({ id, version: rowOf(app, id).version, given })

async function nextMonday(app: TestApp, at: string): Promise<string[]> {
  app.setNow(at)
  aSession(app, { topic: 'grief-and-loss', group: 'Filler', startsAtLocal: '2027-02-01T10:00' })
  const before = app.resend.accepted.length
  await planNow(app)
  await submitOwed(app)
  const about = app.resend.accepted.slice(before).filter(({ text }) => text.includes('Steady Ground'))
  return about.map(({ to }) => String(to[0]).replace(/@.*/, '')).sort()
}

test('an edit says who hears of it before it is saved; saved quietly, only those who have not seen it do', async () => {
  const app = await testApp()
  const id = aSession(app)
  for (const name of ['ann', 'bob']) aSubscriber(app, `${name}@sample.test`)
  aSubscriber(app, 'cara@sample.test', { topics: ['anxiety'] })
  aSubscriber(app, 'dan@sample.test', { topics: ['grief-and-loss'] })
  aSubscriber(app, 'eve@sample.test', { status: 'unsubscribed' })
  expect(await consequenceOf(app, editOf(app, id, LATER))).toMatchObject({ matters: false, news: null })
  expect(await nextMonday(app, '2026-11-23T15:00:00Z')).toEqual(['ann', 'bob', 'cara'])
  aSubscriber(app, 'new@sample.test')

  const edit = editOf(app, id, LATER)
  expect(await consequenceOf(app, edit)).toMatchObject({
    ...{ news: 'moved', matters: true, isMore: false },
    ...{ loud: { again: 3, fresh: 1 }, quiet: { again: 0, fresh: 1 } },
  })
  expect(rowOf(app, id)).toMatchObject({ version: edit.version, startsAtLocal: '2026-12-01T19:00' })
  expect(await changeSession(app, edit, { quiet: true })).toEqual({ kind: 'changed' })
  expect(await nextMonday(app, '2026-11-30T15:00:00Z')).toEqual(['new'])
  expect(app.resend.accepted.find(({ to }) => String(to).startsWith('new'))?.text).toContain('8:00 PM')
  expect(await changeSession(app, editOf(app, id, GIVEN), { quiet: false })).toEqual({ kind: 'changed' })
  expect(await nextMonday(app, '2026-12-07T15:00:00Z')).toEqual(['ann', 'bob', 'cara', 'new'])
  // What they saw is not certain, so no email says what it was.
  expect(app.resend.accepted.at(-1)?.text).not.toContain('was Tue')
  const audited = app.db
    .select()
    .from(auditLog)
    .all()
    .map(({ action, subject, detail }) => [action, subject, detail])
  expect(audited).toEqual([
    ['session changed', String(id), 'starts_at, quietly'],
    ['session changed', String(id), 'starts_at'],
  ])
})

test('opening again cannot be quiet once an edition went out without it', async () => {
  const app = await testApp()
  const id = aSession(app)
  aSubscriber(app, 'ann@sample.test')
  await nextMonday(app, '2026-11-23T15:00:00Z')
  const shut = { ...GIVEN, status: 'full' }
  await changeSession(app, editOf(app, id, shut), { quiet: false })
  expect(await consequenceOf(app, editOf(app, id, GIVEN))).toMatchObject({
    ...{ news: 'reopened', matters: true, loud: { again: 1 }, quiet: { again: 0 } },
  })
  await nextMonday(app, '2026-11-30T15:00:00Z')
  expect(await consequenceOf(app, editOf(app, id, GIVEN))).toMatchObject({
    ...{ news: 'reopened', matters: true, loud: { again: 1 }, quiet: { again: 1 } },
  })
  await changeSession(app, editOf(app, id, GIVEN), { quiet: true })
  expect(await nextMonday(app, '2026-12-07T15:00:00Z')).toEqual(['ann'])
})

test('of two who change the same session, the second changes nothing, and makes no group', async () => {
  const app = await testApp()
  const id = aSession(app)
  const mine = editOf(app, id, { ...GIVEN, group: 'Another', therapist: 'Dr. Ann Roe' })
  const theirs = editOf(app, id, { ...GIVEN, seats_left: '2' })
  expect(await changeSession(app, theirs, { quiet: false })).toEqual({ kind: 'changed' })
  expect(await changeSession(app, theirs, { quiet: false })).toEqual({ kind: 'meanwhile' })
  expect(await changeSession(app, mine, { quiet: false })).toEqual({ kind: 'meanwhile' })
  expect(await consequenceOf(app, mine)).toEqual({ kind: 'meanwhile' })
  expect(rowOf(app, id)).toMatchObject({ therapist: 'Dr. Mira Lee', seatsLeft: 2 })
  expect(app.db.select().from(groups).all()).toHaveLength(1)
  const again = editOf(app, id, { ...GIVEN, seats_left: '2' })
  expect(await changeSession(app, again, { quiet: false })).toEqual({ kind: 'same' })
  // By another program, which knows nothing of versions.
  app.db.$client.exec(`update sessions set seats_left = 1`)
  expect(await changeSession(app, again, { quiet: false })).toEqual({ kind: 'meanwhile' })
  expect(await changeSession(app, { ...again, id: 99 }, { quiet: false })).toEqual({ kind: 'gone' })
})

test('two who save at the same moment: one of them is told', async () => {
  const app = await testApp({ file: true })
  const id = aSession(app, { seatsLeft: 3 })
  const other = await app.sibling()
  await changeSeats(app, id, 1)
  const edits = ['1', '2'].map((seats) => editOf(app, id, { ...GIVEN, seats_left: seats }))
  const saved = await Promise.all(
    edits.map((edit, index) => changeSession(index === 0 ? app : other, edit, { quiet: false })),
  )
  expect(saved.map(({ kind }) => kind).sort()).toEqual(['changed', 'meanwhile'])
  // A number that someone wrote replaces what was pressed before.
  expect(app.db.select().from(seatChanges).all()).toEqual([])
})

test('all that is wrong is said at once, and nothing is written', async () => {
  const app = await testApp()
  const id = aSession(app)
  const wrong = {
    ...GIVEN,
    topic: 'anxeity',
    starts_at: '13/1/2026',
    seats_left: '9',
    seats_total: '8',
    booking_url: '',
  }
  const before = rowOf(app, id)
  const outcome = await changeSession(app, editOf(app, id, wrong), { quiet: false })
  expect(outcome.kind === 'invalid' && outcome.errors.map(({ field }) => field).sort()).toEqual([
    ...['booking_url', 'seats_left', 'starts_at', 'topic'],
  ])
  const past = { ...GIVEN, starts_at: '11/1/2026 7:00 PM', repeats: 'once' }
  const far = { ...GIVEN, starts_at: '12/1/2029 7:00 PM' }
  for (const [given, says] of [
    [past, 'is in the past'],
    [far, 'tick the box'],
  ] as const)
    expect(await changeSession(app, editOf(app, id, given), { quiet: false })).toMatchObject({
      errors: [{ field: 'starts_at', message: expect.stringContaining(says) }],
    })
  expect(rowOf(app, id)).toEqual(before)
  expect(await changeSession(app, { ...editOf(app, id, far), farAhead: true }, { quiet: false })).toEqual({
    kind: 'changed',
  })
})

test('someone with a link may do none of it', async () => {
  const app = actingAs(await testApp(), READER)
  const edit = { id: 1, version: 0, given: GIVEN }
  const was = { name: '', names: '{}' }
  const acts = [
    () => changeSession(app, edit, { quiet: false }),
    () => consequenceOf(app, edit),
    () => changeSeats(app, 1, 1),
    () => takeBackSeats(app, 1),
    () => changeGroup(app, edit),
    () => consequenceOfGroup(app, edit),
    () => addTopic(app, {}),
    () => changeTopic(app, { slug: 'ocd' }, was),
    () => lookAtNew(app, GIVEN),
    () => addByHand(app, GIVEN),
    () => readersShown(app, 1),
    () => agenda(app, { topic: null, status: 'all', language: null, group: null, text: '' }, 1),
  ]
  for (const act of acts) await expect(act()).rejects.toThrow(NotAllowed)
})
