import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { BadInput } from './core/errors.ts'
import { armFailpoint, FAILPOINTS, failpoint, GUARDS, guardOn, obeyTests, waitOf } from './failpoint.ts'

const MODULE = pathToFileURL(join(import.meta.dirname, 'failpoint.ts')).href

test('an armed failpoint kills the process the nth time it is reached, and no other does', async () => {
  const passes = `failpoint('after-claim'); failpoint('before-claim'); console.log('once')
    failpoint('after-claim'); console.log('twice')`
  expect(await run('after-claim', passes)).toEqual({ signal: 'SIGKILL', out: '' })
  expect(await run('after-claim:2', passes)).toEqual({ signal: 'SIGKILL', out: 'once\n' })
  expect(await run('after-claim:3', passes)).toEqual({ signal: null, out: 'once\ntwice\n' })
})

test('without a setting, no failpoint is armed', () => {
  for (const setting of [undefined, '']) {
    armFailpoint(setting)
    expect(() => FAILPOINTS.forEach(failpoint)).not.toThrow()
  }
})

test('an unknown name or a bad count is refused, with the known names', () => {
  expect(() => armFailpoint('after-lunch')).toThrow(BadInput)
  expect(() => armFailpoint('after-lunch')).toThrow(/after-claim/)
  for (const wrong of ['after-claim:0', 'after-claim:x', 'after-claim:'])
    expect(() => armFailpoint(wrong)).toThrow(BadInput)
  armFailpoint(undefined)
})

test('every guard is on, and every wait as long as it is, unless a test says otherwise', () => {
  expect(GUARDS.filter(guardOn)).toEqual(GUARDS)
  obeyTests({ GUARD_OFF: 'claim,hold', WAITS: 'lease:6000,sweep:2000' })
  expect(GUARDS.filter((name) => !guardOn(name))).toEqual(['claim', 'hold'])
  expect([waitOf('lease', 90_000), waitOf('sweep', 60_000), waitOf('retry', 5)]).toEqual([6_000, 2_000, 5])
  obeyTests({})
  expect(GUARDS.filter(guardOn)).toEqual(GUARDS)
  expect(waitOf('lease', 90_000)).toBe(90_000)
})

test('in production no test is obeyed', () => {
  obeyTests({
    NODE_ENV: 'production',
    FAILPOINT: 'after-claim',
    GUARD_OFF: 'claim',
    WAITS: 'lease:1',
  })
  expect(() => FAILPOINTS.forEach(failpoint)).not.toThrow()
  expect(GUARDS.filter(guardOn)).toEqual(GUARDS)
  expect(waitOf('lease', 90_000)).toBe(90_000)
})

test.each([
  [{ GUARD_OFF: 'claims' }, /GUARD_OFF: there is no "claims"\. Use idempotency-key, claim/],
  [{ WAITS: 'nap:5' }, /WAITS: there is no "nap"/],
  [{ WAITS: 'lease' }, /WAITS: write "lease" as lease:2000/],
  [{ WAITS: 'lease:0' }, BadInput],
])('%j is refused', (env, reason) => {
  expect(() => obeyTests(env)).toThrow(reason)
  obeyTests({})
})

test('every failpoint is used in the program, and every use is a known failpoint', () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|^failpoint\.ts$/.test(path))
    .map((path) => readFileSync(join(import.meta.dirname, path), 'utf8'))
  const called = sources.flatMap((source) =>
    [...source.matchAll(/\bfailpoint\('([^']+)'\)/g)].map((match) => match[1]),
  )
  expect([...new Set(called)].sort()).toEqual([...FAILPOINTS].sort())
})

async function run(setting: string, passes: string) {
  const script = `import { armFailpoint, failpoint } from '${MODULE}'
    armFailpoint('${setting}'); ${passes}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  const [, signal] = await once(child, 'close')
  return { signal, out }
}
