import { expect, test } from '@jest/globals'
import { steadyGround } from '../mail/digest.fixture.ts'
import { type Offer, rotationCount, selectFor } from './offers.ts'

const anyone = { topics: null, seen: { general: 0, byTopic: new Map<number, number>() } }

const offers = (...changes: Partial<Offer>[]): Offer[] =>
  changes.map((change, index) => ({ ...steadyGround, id: index + 1, ...change }))

function shownByRotation(given: readonly Offer[], max = 15): number[][] {
  const orders = Array.from({ length: rotationCount(given) }, (_, rotation) =>
    (selectFor(anyone, given, { throughSeq: 99, max, rotation })?.shown ?? []).map(({ id }) => id),
  )
  return orders
}

test('equal sessions with few seats each come first for the same number of readers', () => {
  const orders = shownByRotation(offers({ seatsLeft: 1 }, { seatsLeft: 2 }, { seatsLeft: 9 }))
  const firsts = Map.groupBy(orders, ([first]) => first)
  expect([...firsts.values()].map((group) => group.length)).toEqual([20, 20, 20])
  for (const order of orders) expect(order.toSorted()).toEqual([1, 2, 3])
})

test('so they do when only some fit into the email', () => {
  const firsts = new Set(
    shownByRotation(offers({ seatsLeft: 1 }, { seatsLeft: 1 }), 1).map(([first]) => first),
  )
  expect([...firsts].toSorted()).toEqual([1, 2])
})

test.each<[string, Partial<Offer>[]]>([
  ['start at different times', [{ seatsLeft: 1 }, { seatsLeft: 1, startsAt: '2026-12-02T01:00:00.000Z' }]],
  ['have different topics', [{ seatsLeft: 1 }, { seatsLeft: 1, topicId: 9 }]],
  ['have enough seats', [{ seatsLeft: 8 }, { seatsLeft: null }]],
])('sessions that %s keep their order for everyone, so readers share their pages', (_, changes) => {
  expect(shownByRotation(offers(...changes))).toEqual([[1, 2]])
})
