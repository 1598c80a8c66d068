import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, testApp } from '../../../test/app.ts'
import { finishEdition } from '../../db/ledger/edition-states.ts'
import { allEditions } from '../../db/ledger/editions.ts'
import { editions } from '../../db/schema/ledger.ts'
import { cancel, pause, resume } from './control.ts'
import { explain } from './explain.ts'

test('each act on an edition is on record once, and one that was refused is not', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  const id = await planNow(app)
  for (const act of [
    () => pause(app, id, 'a wrong link'),
    () => pause(app, id, 'again'),
    () => resume(app, id),
    () => resume(app, id),
    () => cancel(app, id),
    () => cancel(app, id),
  ])
    await act()
  expect(app.db.$client.prepare('select action, subject, detail from audit_log order by id').all()).toEqual([
    { action: 'edition paused', subject: id, detail: 'a wrong link' },
    { action: 'edition resumed', subject: id, detail: null },
    { action: 'edition cancelled', subject: id, detail: null },
  ])
})

test('explain knows who was not planned yet when the edition was cancelled', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  const id = await planNow(app)
  app.db.$client.exec('delete from deliveries; delete from edition_tally; delete from batches')
  app.db.update(editions).set({ state: 'planning', plannedThrough: 0 }).run()
  await cancel(app, id)
  expect((await explain(app, 'ada@sample.test', id))?.reason).toBe('cancelled')
})

test('an edition is finished alone, even if nothing is left to do for another either', async () => {
  const app = await testApp()
  aSubscriber(app, 'ada@sample.test')
  for (const at of ['2026-11-23T15:00:00.000Z', '2026-11-30T15:00:00.000Z']) {
    app.setNow(at)
    aSession(app)
    await planNow(app)
    await submitOwed(app)
  }
  app.db.update(editions).set({ state: 'submitting', finishedAt: null }).run()
  expect(await finishEdition(app.store, '2026-11-30', app.now())).toBe(true)
  expect((await allEditions(app.store)).map(({ id, state }) => [id, state])).toEqual([
    ['2026-11-30', 'submitted'],
    ['2026-11-23', 'submitting'],
  ])
})
