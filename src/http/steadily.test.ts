import { expect, test } from '@jest/globals'
import { steadily } from './steadily.ts'

// Node's timers may be a millisecond early.
const EVERY = 40
const took = async (work: () => Promise<unknown>) => {
  const begun = performance.now()
  await steadily(EVERY, work).catch(() => {})
  return performance.now() - begun
}

test('whatever comes of the work, and however fast, the answer waits for its moment', async () => {
  for (const work of [async () => 1, async () => Promise.reject(new Error('no'))])
    expect(await took(work)).toBeGreaterThanOrEqual(EVERY - 2)
})

test('work that takes longer waits for the next moment', async () => {
  const busy = async () => {
    const end = performance.now() + EVERY + 5
    while (performance.now() < end) await Promise.resolve()
  }
  expect(await took(busy)).toBeGreaterThanOrEqual(2 * EVERY - 2)
})

test('it gives what the work gives, and throws what it throws', async () => {
  expect(await steadily(1, async () => 'x')).toBe('x')
  await expect(steadily(1, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})
