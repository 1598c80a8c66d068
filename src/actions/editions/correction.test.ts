import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  manySubscribers,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../test/app.ts'
import { eq } from '../../db/drizzle.ts'
import { tallyOf } from '../../db/ledger/editions.ts'
import { deliveries } from '../../db/schema/ledger.ts'
import { subscribers } from '../../db/schema/people.ts'
import { quietChanges, sessions } from '../../db/schema/sessions.ts'
import { erase } from '../subscribers/records.ts'
import { judgeCorrection } from './judge-correction.ts'
import { resendEdition } from './resend.ts'

const ID = '2026-11-23'

/** Three readers, of whom two were shown the session about OCD, in an edition that is out. */
async function mailed() {
  const app = await testApp()
  const wrong = aSession(app, { topic: 'ocd', group: 'Loose Ends', startsAtLocal: '2026-12-01T19:00' })
  const other = aSession(app, { topic: 'grief-and-loss', group: 'After', startsAtLocal: '2026-12-02T18:00' })
  aSubscriber(app, 'all@sample.test')
  aSubscriber(app, 'ocd@sample.test', { topics: ['ocd'] })
  aSubscriber(app, 'grief@sample.test', { topics: ['grief-and-loss'] })
  await planNow(app)
  await submitOwed(app)
  app.resend.accepted.length = 0
  return { app, wrong, other }
}

/** Changes a session so that those who were shown it do not hear of it by itself. */
function correctQuietly(app: TestApp, id: number, change: Partial<typeof sessions.$inferInsert>): void {
  app.db.insert(quietChanges).values({ sessionId: id }).run()
  app.db.update(sessions).set(change).where(eq(sessions.id, id)).run()
  app.db.delete(quietChanges).run()
}

const oneLine = (text = '') => text.replace(/\s+/g, ' ')
const to = (app: TestApp) => app.resend.accepted.map((email) => email.to.join()).toSorted()

test('a correction goes to just those who were shown the session, and says what was wrong', async () => {
  const { app, wrong } = await mailed()
  const asked = () => resendEdition(app, ID, { kind: 'correct', sessionId: wrong })
  expect(await asked()).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('is still as these readers were last told'),
  })
  correctQuietly(app, wrong, { startsAtLocal: '2026-12-01T20:30', therapist: 'Dr. Núñez' })
  expect(await asked()).toMatchObject({ kind: 'planned', generation: 1, recipients: 2 })
  expect(await asked()).toMatchObject({ kind: 'refused' })
  await submitOwed(app)
  expect(to(app)).toEqual(['all@sample.test', 'ocd@sample.test'])
  const [email] = app.resend.accepted
  expect(email?.subject).toBe('A correction to a group time')
  expect(oneLine(email?.text)).toContain(
    'It is Tue, 8:30 PM, not Tue, 7:00 PM. The therapist is Dr. Núñez, not Dr. Mira Lee.',
  )
  expect(email?.text).toContain('Loose Ends')
  expect(email?.text).not.toContain('After')
  expect(email?.headers).toHaveProperty('List-Unsubscribe-Post')

  app.setNow('2026-11-30T15:00:00.000Z')
  await planNow(app)
  await submitOwed(app)
  expect(to(app)).toHaveLength(2)
})

test('a later one corrects the session again, and moves nobody past news of other topics', async () => {
  const { app, wrong, other } = await mailed()
  correctQuietly(app, wrong, { bookingUrl: 'https://book.harbor.test/right' })
  await resendEdition(app, ID, { kind: 'correct', sessionId: wrong })
  await submitOwed(app)
  correctQuietly(app, wrong, { durationMinutes: 60 })
  expect(await resendEdition(app, ID, { kind: 'correct', sessionId: wrong })).toMatchObject({ generation: 2 })
  await submitOwed(app)
  expect(to(app)).toHaveLength(4)
  expect(oneLine(app.resend.accepted.at(-1)?.text)).toContain('It takes 60 minutes, not 90.')
  expect(app.resend.accepted.at(-1)?.text).not.toContain('was wrong')
  expect(await tallyOf(app.store, ID, 2)).toMatchObject({ candidates: 2, submitted: 2 })

  app.db.update(sessions).set({ startsAtLocal: '2026-12-02T17:00' }).where(eq(sessions.id, other)).run()
  app.setNow('2026-11-30T15:00:00.000Z')
  await planNow(app)
  await submitOwed(app)
  expect(to(app).filter((one) => one === 'grief@sample.test')).toHaveLength(1)
})

test('it is compared with what readers were last told, so it is not said twice and can be taken back', async () => {
  const { app, wrong } = await mailed()
  const asked = (after: number | null = null) =>
    resendEdition(app, ID, { kind: 'correct', sessionId: wrong }, after)
  correctQuietly(app, wrong, { therapist: 'Dr. Núñez' })
  expect(await Promise.all([asked(0), asked(0)])).toContainEqual(expect.objectContaining({ generation: 1 }))
  await submitOwed(app)
  expect(await asked()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('last told') })
  correctQuietly(app, wrong, { therapist: 'Dr. Mira Lee' })
  expect(await asked(0)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('meanwhile') })
  expect(await asked(1)).toMatchObject({ generation: 2 })
  await submitOwed(app)
  expect(to(app)).toHaveLength(4)
  expect(oneLine(app.resend.accepted.at(-1)?.text)).toContain('The therapist is Dr. Mira Lee, not Dr. Núñez.')
  app.db.delete(sessions).where(eq(sessions.id, wrong)).run()
  expect(await asked()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('was deleted') })
})

test('a cancelled time says so and offers nothing, and a discreet reader’s subject says nothing', async () => {
  const { app, wrong } = await mailed()
  app.db
    .update(subscribers)
    .set({ discreet: true, locale: 'es' })
    .where(eq(subscribers.email, 'ocd@sample.test'))
    .run()
  correctQuietly(app, wrong, { status: 'cancelled' })
  await resendEdition(app, ID, { kind: 'correct', sessionId: wrong })
  await submitOwed(app)
  const [all, discreet] = app.resend.accepted.toSorted((a, b) => a.to.join().localeCompare(b.to.join()))
  expect(all?.text).toContain('It does not take place.')
  expect(all?.text).not.toContain('Reserve')
  expect(all?.html).not.toContain('class="button"')
  expect(discreet?.subject).not.toMatch(/correc/i)
  expect(discreet?.text).toContain('No se realizará.')
})

test('who has left since gets none, and what is right again before its turn is not sent', async () => {
  const { app, wrong } = await mailed()
  app.db
    .update(subscribers)
    .set({ status: 'unsubscribed' })
    .where(eq(subscribers.email, 'ocd@sample.test'))
    .run()
  correctQuietly(app, wrong, { therapist: 'Dr. Núñez' })
  expect(await resendEdition(app, ID, { kind: 'correct', sessionId: wrong })).toMatchObject({
    recipients: 1,
    excluded: { unsubscribed: 1 },
  })
  correctQuietly(app, wrong, { therapist: 'Dr. Mira Lee' })
  await submitOwed(app)
  expect(to(app)).toEqual([])
  expect(await tallyOf(app.store, ID, 1)).toMatchObject({ excluded: { unsubscribed: 1, 'nothing-new': 1 } })
})

test('an answer that was lost is asked for with the same bytes, though the session changes meanwhile', async () => {
  const { app, wrong } = await mailed()
  correctQuietly(app, wrong, { therapist: 'Dr. Núñez' })
  await resendEdition(app, ID, { kind: 'correct', sessionId: wrong })
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  correctQuietly(app, wrong, { therapist: 'Dr. Third' })
  app.setNow('2026-11-23T15:10:00.000Z')
  await submitOwed(app)
  expect(to(app)).toEqual(['all@sample.test', 'ocd@sample.test'])
  expect(app.resend.accepted.every(({ text }) => text.includes('Dr. Núñez'))).toBe(true)
})

test('what an earlier release sent, and what an edition did not show, cannot be corrected', async () => {
  const { app, wrong, other } = await mailed()
  correctQuietly(app, wrong, { therapist: 'Dr. Núñez' })
  const later = aSession(app, { topic: 'ocd', group: 'Later' })
  const asked = (sessionId: number) => resendEdition(app, ID, { kind: 'correct', sessionId })
  expect(await asked(later)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('did not show'),
  })
  expect(await asked(other)).toMatchObject({ kind: 'refused' })
  app.db.update(deliveries).set({ shown: null }).where(eq(deliveries.id, 1)).run()
  expect(await asked(wrong)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('an earlier release'),
  })
})

test('who is erased leaves no trace of what they were shown', async () => {
  const { app, wrong } = await mailed()
  expect(
    app.db
      .select()
      .from(deliveries)
      .orderBy(deliveries.id)
      .all()
      .map(({ shown }) => shown),
  ).toEqual(['1,2', '1', '2'])
  await erase(app, 'ocd@sample.test')
  expect(
    app.db
      .select()
      .from(deliveries)
      .orderBy(deliveries.id)
      .all()
      .map(({ shown }) => shown),
  ).toEqual(['1,2', null, '2'])
  correctQuietly(app, wrong, { therapist: 'Dr. Núñez' })
  expect(await judgeCorrection(app, { editionId: ID, sessionId: wrong })).toEqual({
    ...{ refused: null, recipients: 1, more: false },
  })
})

test('of a large list only as much is read as tells that it is large', async () => {
  const app = await testApp()
  const wrong = aSession(app, { topic: 'ocd' })
  manySubscribers(app, 1_001)
  await planNow(app)
  await submitOwed(app)
  const asked = () => judgeCorrection(app, { editionId: ID, sessionId: wrong })
  expect(await asked()).toMatchObject({ refused: expect.stringContaining('last told'), more: true })
  correctQuietly(app, wrong, { therapist: 'Dr. Núñez' })
  expect(await asked()).toEqual({ refused: null, recipients: 1_000, more: true })
})
