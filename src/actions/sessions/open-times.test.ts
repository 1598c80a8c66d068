import { expect, test } from '@jest/globals'
import { aSession, testApp } from '../../../test/app.ts'
import { openTimes } from './open-times.ts'

test('open times are read once per change and minute', async () => {
  const app = await testApp({ at: '2026-11-23T15:00:10.000Z' })
  aSession(app)
  const first = await openTimes(app)
  expect(first.offers).toHaveLength(1)
  app.setNow('2026-11-23T15:00:59.999Z')
  expect(await openTimes(app)).toBe(first)
  app.setNow('2026-11-23T15:01:00.000Z')
  const later = await openTimes(app)
  expect(later).not.toBe(first)

  // Also when another program writes the table.
  app.db.$client.exec("update sessions set therapist = 'Dr. Noa Field'")
  expect((await openTimes(app)).offers.map(({ therapist }) => therapist)).toEqual(['Dr. Noa Field'])
  app.db.$client.exec("update topics set name = 'Worry' where slug = 'anxiety'")
  expect((await openTimes(app)).topics.map(({ name }) => name)).toContain('Worry')
})

test('a session that begins is gone with its minute', async () => {
  const app = await testApp({ at: '2026-12-01T23:59:59.999Z' })
  aSession(app, { repeats: 'once', startsAtLocal: '2026-12-01T19:00' })
  expect((await openTimes(app)).offers).toHaveLength(1)
  app.setNow('2026-12-02T00:00:00.000Z')
  expect((await openTimes(app)).offers).toEqual([])
})

test('two databases do not share cached times', async () => {
  const [one, other] = [await testApp(), await testApp()]
  aSession(one)
  aSession(other, { therapist: 'Dr. Noa Field' })
  await openTimes(one)
  expect((await openTimes(other)).offers[0]?.therapist).toBe('Dr. Noa Field')
})
