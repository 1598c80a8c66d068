import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, realProgram } from './cli.ts'

const RECORDER = pathToFileURL(join(import.meta.dirname, 'record-modules.ts')).href
const HEAVY = ['better-sqlite3', 'bullmq', 'fastify', 'ioredis', 'mjml']

let program: Program

beforeAll(async () => {
  program = await realProgram()
})

afterAll(() => program.close())

test('commands that only need the database load no Redis client, web server or email compiler', async () => {
  const commands: [args: string[], input?: string][] = [
    [['migrate']],
    [['edition', 'list']],
    [['edition', 'show', '2026-11-23']],
    [['sessions', 'list']],
    [['subscribers', 'import', '-', '--consent', 'on paper'], 'email\nmara@sample.test'],
    [['subscribers', 'export', 'mara@sample.test']],
    [['explain', 'mara@sample.test', '2026-11-23']],
  ]
  for (const [args, input] of commands)
    expect([args.join(' '), heavyIn(await modulesOf(args, input))]).toEqual([
      args.join(' '),
      ['better-sqlite3'],
    ])
}, 90_000)

test('what needs the queue loads it, and no more', async () => {
  expect(heavyIn(await modulesOf(['edition', 'resume', '2026-11-23']))).toEqual([
    'better-sqlite3',
    'bullmq',
    'ioredis',
  ])
}, 60_000)

/** The URLs of what a command loads. */
async function modulesOf(args: string[], input = ''): Promise<string[]> {
  const file = join(program.folder, 'modules.txt')
  const settings = { NODE_OPTIONS: `--import=${RECORDER}`, MODULES_FILE: file }
  await program.run(args, { input, settings })
  const urls = readFileSync(file, 'utf8').trim().split('\n')
  rmSync(file)
  return urls
}

const heavyIn = (urls: readonly string[]): string[] =>
  HEAVY.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`)))
