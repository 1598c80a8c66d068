import { expect, test } from '@jest/globals'
import { aStore } from '../../../test/db.ts'
import { type Actor, READER, SYSTEM } from '../../core/operators/actor.ts'
import { actingAs, demand, NeedsProof, NotAllowed } from './acting.ts'

const AT = new Date('2026-11-23T15:00:00.000Z')
const EDITOR: Actor = { kind: 'operator', id: 1, role: 'editor', signInId: 1, provenAt: null, network: '' }
const OWNER: Actor = { ...EDITOR, role: 'owner' }

test('what an actor may not do is refused, and what needs a proof asks for one', async () => {
  const store = await aStore()
  const program = { store, actor: SYSTEM, now: () => AT }
  const as = (actor: Actor) => actingAs(program, actor)

  expect(as(EDITOR).store.actor).toBe(EDITOR)
  expect(() => demand(as(EDITOR), 'sessions.edit')).not.toThrow()
  expect(() => demand(as(EDITOR), 'readers.see')).toThrow(NotAllowed)
  expect(() => demand(as(READER), 'today.see')).toThrow(NotAllowed)
  expect(() => demand(as(OWNER), 'readers.erase')).toThrow(NeedsProof)
  expect(() => demand(as({ ...OWNER, provenAt: AT.getTime() }), 'readers.erase')).not.toThrow()
  expect(() => demand(program, 'readers.erase')).not.toThrow()
  await store.close()
})
