import { expect, test } from '@jest/globals'
import { aStore } from '../../../test/db.ts'
import { countRequest, isBusy } from './requested-emails.ts'

const NOW = new Date('2026-11-23T14:00:00Z')
const EARLIER = new Date('2026-11-23T13:00:00Z')

/** Limits of five emails in all, for the n-th request of a network. */
const limits = (fromNetwork: number) => ({
  perAddress: { max: 3, since: EARLIER },
  overall: { max: 5, since: EARLIER },
  fromNetwork,
})

test('the second half of what strangers may cause is kept for the first request of a network', async () => {
  const store = await aStore()
  const busyAfterEach: [boolean, boolean, boolean][] = []
  for (let n = 1; n <= 5; n += 1) {
    await store.write((tx) => countRequest(tx, `hash-${n}`, limits(1), NOW))
    busyAfterEach.push([
      await isBusy(store.read, limits(1)),
      await isBusy(store.read, limits(2)),
      await isBusy(store.read, limits(3)),
    ])
  }
  expect(busyAfterEach).toEqual([
    [false, false, false],
    [false, false, false],
    [false, true, true],
    [false, true, true],
    [true, true, true],
  ])
  await store.close()
})
