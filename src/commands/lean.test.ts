import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventually } from '../../test/app.ts'
import { type Program, realProgram } from '../../test/cli.ts'

let program: Program

beforeEach(async () => {
  program = await realProgram()
})

afterEach(() => program.close())

test('a process that stays replaces itself by a lean one, under the same pid, and stops when asked', async () => {
  const { child, output, ended } = program.start(['start'])
  await eventually(() => output.err.includes('openseat is running'), 30_000)
  const of = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  expect(of('cmdline').split('\0')).toEqual(expect.arrayContaining(['--expose-gc', 'start']))
  expect(of('environ')).toMatch(/NODE_COMPILE_CACHE=[^\0]*(openseat|\.cache)/)
  // Twice what was measured; without the settings it is 300 MB and more.
  await eventually(() => Number(/VmRSS:\s+(\d+)/.exec(of('status'))?.[1]) / 1024 < 200)
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
}, 60_000)

test('what a command is given on stdin survives the replacement', async () => {
  const given = { input: 'email\nada@sample.test\n' }
  const imported = await program.run(['subscribers', 'import', '-', '--consent', 'on paper', '--json'], given)
  expect(imported).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(imported.out)).toMatchObject({ added: 1 })
}, 60_000)
