import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { GUARDS, WAITS } from '../../src/failpoint.ts'
import { sabotages } from './sabotage.ts'

const SRC = join(import.meta.dirname, '../../src')

test('each guard appears in the program once, and the list says which scenarios fail without it', () => {
  const listed = sabotages.map(({ guard }) => guard).sort()
  expect(namesIn(/\bguardOn\('([^']+)'\)/g)).toEqual(listed)
  expect([...GUARDS].sort()).toEqual(listed)
})

test('each wait that can be shortened appears in the program once', () => {
  expect(namesIn(/\bwaitOf\('([^']+)', /g)).toEqual([...WAITS].sort())
})

/** What these calls in src/ name, as often as they name it. */
function namesIn(call: RegExp): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .flatMap((path) => [...readFileSync(join(SRC, path), 'utf8').matchAll(call)])
    .map(([, name = '']) => name)
    .sort()
}
