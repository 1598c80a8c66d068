import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import type { Command } from 'commander'
import { realProgram } from '../../test/cli.ts'
import { program } from './program.ts'
import { openTerminal, type Terminal } from './terminal.ts'

test.each(withAddress(program(aTerminal('')), []).map((args) => ({ line: args.join(' '), args })))(
  '"$line" reads the address from stdin',
  async ({ args }) => {
    const terminal = aTerminal('\n mara@sample.test \n')
    await expect(program(terminal).parseAsync(args, { from: 'user' })).rejects.toThrow(
      'the database is asked',
    )
    expect(terminal.stdin.readableEnded).toBe(true)
  },
)

test.each(['', '\n', 'a@sample.test\nb@sample.test\n'])('%j on stdin is no address', async (typed) => {
  const run = program(aTerminal(typed)).parseAsync(['subscribers', 'show', '-'], { from: 'user' })
  await expect(run).rejects.toThrow(/^EMAIL: - reads one address from stdin, and there was /)
})

test('the real command finds who is named on stdin', async () => {
  const real = await realProgram()
  try {
    await real.run(['subscribers', 'import', '-', '--consent', 'on paper'], {
      input: 'email\nmara@sample.test',
    })
    const shown = await real.run(['subscribers', 'show', '-'], { input: 'mara@sample.test\n' })
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('mara@sample.test'), err: '' })
  } finally {
    await real.close()
  }
}, 60_000)

test('npm keeps no log of what it was called with', () => {
  expect(readFileSync(join(import.meta.dirname, '../../.npmrc'), 'utf8')).toMatch(/^logs-max=0$/m)
})

/** What to type for each command that takes an address, with `-` for it. */
function withAddress(command: Command, path: string[]): string[][] {
  const below = command.commands.flatMap((one) => withAddress(one, [...path, one.name()]))
  const names = command.registeredArguments.map((argument) => argument.name())
  const typed = names.map((name) => (name === 'email' ? '-' : '2026-11-23'))
  const flags = command.options.filter(({ flags }) => flags.includes('<email>')).map(({ long }) => long ?? '')
  const needed = command.options
    .filter(({ mandatory, flags }) => mandatory && !flags.includes('<email>'))
    .flatMap(({ long }) => [long ?? '', 'x'])
  const own = names.includes('email') ? [[...path, ...typed, ...needed]] : []
  return [...own, ...flags.map((flag) => [...path, ...typed, flag, '-', ...needed]), ...below]
}

/** A terminal with this on stdin, where asking the database is the end. */
function aTerminal(typed: string): Terminal {
  const asked = async () => Promise.reject(new Error('the database is asked'))
  return {
    ...openTerminal({}),
    stdin: Readable.from([typed]),
    note: () => {},
    withInstallation: asked,
    withQueue: asked,
    withWaker: asked,
    withApp: asked,
  }
}
