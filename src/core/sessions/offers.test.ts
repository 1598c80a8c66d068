import { expect, test } from '@jest/globals'
import { steadyGround } from '../mail/digest.fixture.ts'
import { type Offer, selectFor, turnsAmong } from './offers.ts'

const anyone = { topics: null, seen: { general: 0, byTopic: new Map<number, number>() } }

const offers = (...changes: Partial<Offer>[]): Offer[] =>
  changes.map((change, index) => ({ ...steadyGround, id: index + 1, ...change }))

function shownInTurns(given: readonly Offer[], max = 15): number[][] {
  const orders = Array.from({ length: turnsAmong(given) }, (_, turn) =>
    (selectFor(anyone, given, { throughSeq: 99, max, turn })?.shown ?? []).map(({ id }) => id),
  )
  return orders
}

test('where equal sessions have few seats, each is first for as many readers as the others', () => {
  const orders = shownInTurns(offers({ seatsLeft: 1 }, { seatsLeft: 2 }, { seatsLeft: 9 }))
  const firsts = Map.groupBy(orders, ([first]) => first)
  expect([...firsts.values()].map((group) => group.length)).toEqual([20, 20, 20])
  for (const order of orders) expect(order.toSorted()).toEqual([1, 2, 3])
})

test('also when only some fit into the mail', () => {
  const firsts = new Set(shownInTurns(offers({ seatsLeft: 1 }, { seatsLeft: 1 }), 1).map(([first]) => first))
  expect([...firsts].toSorted()).toEqual([1, 2])
})

test.each<[string, Partial<Offer>[]]>([
  ['begin at other times', [{ seatsLeft: 1 }, { seatsLeft: 1, startsAt: '2026-12-02T01:00:00.000Z' }]],
  ['are of other topics', [{ seatsLeft: 1 }, { seatsLeft: 1, topicId: 9 }]],
  ['have seats enough', [{ seatsLeft: 8 }, { seatsLeft: null }]],
])('sessions that %s keep their order for everyone, and readers share their pages', (_, changes) => {
  expect(shownInTurns(offers(...changes))).toEqual([[1, 2]])
})
