import { expect, test } from '@jest/globals'
import { thawed } from './offers.ts'
import { topicName } from './topic.ts'

test.each([
  [{ es: 'Ansiedad' }, 'es', 'Ansiedad'],
  [{ es: 'Ansiedad' }, 'en', 'Anxiety'],
  [{}, 'toString', 'Anxiety'],
  [undefined, 'es', 'Anxiety'],
])('in %j, the name in %s is %s', (names, language, name) => {
  expect(topicName(names, 'Anxiety', language)).toBe(name)
})

test('an offer that an earlier release froze says nothing of its group', () => {
  expect(thawed({ id: 1, group: 'Steady Ground' })).toMatchObject({
    ...{ id: 1, group: 'Steady Ground', topicNames: {}, groupId: null },
    ...{ summary: null, groupUrl: null, language: null, place: null, price: null },
  })
  expect(thawed({ place: 'Online', groupId: 3 })).toMatchObject({ place: 'Online', groupId: 3 })
})
