import { expect, test } from '@jest/globals'
import { type Actor, actorName, READER, ROLES, type Role, SYSTEM } from './actor.ts'
import { mayDo, mustProve, NEEDS_PROOF, PERMISSIONS, type Permission, PROOF_MS } from './permissions.ts'

const as = (role: Role, provenAt: number | null = null): Actor => ({
  kind: 'operator',
  id: 7,
  role,
  signInId: 1,
  provenAt,
  network: '192.0.2.0/24',
})
const all = Object.keys(PERMISSIONS) as Permission[]

test('an owner may do all, an editor nothing that names a reader or mails one', () => {
  expect(all.filter((permission) => !mayDo(as('owner'), permission))).toEqual([])
  expect(all.filter((permission) => mayDo(as('editor'), permission))).toEqual([
    'today.see',
    'sessions.see',
    'sessions.edit',
    'editions.see',
    'editions.test',
    'sign-ins.own',
    'credentials.own',
  ])
  expect(all.filter((permission) => !mayDo(as('operator'), permission))).toEqual([
    'readers.export',
    'readers.erase',
    'people.see',
    'people.change',
  ])
})

test('commands and the program may do all, and someone with a link nothing', () => {
  for (const permission of all) {
    expect(mayDo({ kind: 'command', user: 'root' }, permission)).toBe(true)
    expect(mayDo(SYSTEM, permission)).toBe(true)
    expect(mayDo(READER, permission)).toBe(false)
  }
})

test('a proof counts for ten minutes, and only people need one', () => {
  for (const permission of NEEDS_PROOF) {
    expect(mustProve(as('owner'), permission, 0)).toBe(true)
    expect(mustProve(as('owner', 1_000), permission, 1_000 + PROOF_MS)).toBe(false)
    expect(mustProve(as('owner', 1_000), permission, 1_001 + PROOF_MS)).toBe(true)
    expect(mustProve(SYSTEM, permission, 0)).toBe(false)
  }
  expect(mustProve(as('owner'), 'sessions.edit', 0)).toBe(false)
})

test('the audit log names an actor', () => {
  expect(
    [...ROLES.map((role) => as(role)), { kind: 'command', user: 'root' } as const, SYSTEM, READER].map(
      actorName,
    ),
  ).toEqual(['operator:7', 'operator:7', 'operator:7', 'command:root', 'system', 'reader'])
})
