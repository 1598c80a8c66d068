import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, oneReaderPerBatch, planNow, submitOwed, testApp } from '../../../test/app.ts'
import { summaryTable, summaryText } from '../../commands/edition-text.ts'
import { resendEdition } from './resend.ts'
import { summaries, summaryOf } from './show.ts'

test('a resend stands beside the edition and changes none of its counts, while the totals include it', async () => {
  const app = await testApp()
  aSession(app)
  for (const name of ['ann', 'bea', 'cleo']) aSubscriber(app, `${name}@sample.test`)
  aSubscriber(app, 'dora@sample.test', { pausedUntil: Date.parse('2027-01-01T00:00:00Z') })
  const id = await planNow(app)
  await submitOwed(app)
  const edition = { candidates: 4, submitted: 3, excluded: { paused: 1 }, failed: 0, unknown: 0, waiting: 0 }
  const alone = await summaryOf(app, id)
  expect(alone).toMatchObject({ ...edition, edition, resends: [] })
  expect(alone).not.toHaveProperty('generations')

  expect(await resendEdition(app, id, { kind: 'to', email: 'ann@sample.test' })).toMatchObject({
    kind: 'planned',
  })
  const resend = { candidates: 1, submitted: 0, excluded: {}, failed: 0, unknown: 0, waiting: 1 }
  expect(await summaryOf(app, id)).toMatchObject({
    ...{ candidates: 5, submitted: 3, waiting: 1 },
    ...{ edition, resends: [{ generation: 1, ...resend }] },
    generations: [
      { generation: 0, ...edition },
      { generation: 1, ...resend },
    ],
  })
  await submitOwed(app)
  const [shown] = await summaries(app)
  if (!shown) throw new Error('no edition')
  const text = summaryText(shown, 'America/New_York')
  expect(text.split('\n').slice(0, 3)).toEqual([
    `Edition ${id}: 3 of 4 people were emailed. 1 was skipped: 1 paused.`,
    'Resend #1: 1 of 1 person was emailed.',
    '',
  ])
  expect(text).toMatch(/candidates +4\n/)
  expect(text).toMatch(/resend #1 +1 of 1 submitted/)
  expect(summaryTable([shown], null)).toMatch(/ 4 +3 +1 +0 +0 +0 +#1: 1 of 1 submitted$/)
})

test('only a batch that was tried shows as tried again, with the reason and when, until it is submitted', async () => {
  const app = await testApp()
  aSession(app)
  for (const name of ['ann', 'bea', 'cleo']) aSubscriber(app, `${name}@sample.test`)
  const id = await planNow(app)
  await oneReaderPerBatch(app)
  expect(await summaryOf(app, id)).toMatchObject({ batches: 3, retrying: null })
  app.resend.inject({ kind: 'html-502' })
  await submitOwed(app)
  const [tried] = await summaries(app)
  expect(tried).toMatchObject({
    batchStates: { planned: 1, submitted: 2 },
    retrying: {
      batches: 1,
      nextAttemptAt: expect.stringMatching(/^2026-11-23T15:00:/),
      reason: expect.stringContaining('502'),
    },
  })
  app.setNow('2026-11-23T15:02:00.000Z')
  await submitOwed(app)
  expect(await summaryOf(app, id)).toMatchObject({ submitted: 3, retrying: null })
})
