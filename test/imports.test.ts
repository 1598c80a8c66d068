import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

/**
 * The layers, top to bottom. A room is a folder of src/ or a file at its top. It may import itself and rooms on
 * lower lines; rooms on the same line do not import one another, except the doors. `test/` and `bench/` may import
 * anything; nothing in src/ imports them.
 */
const SHAPE: readonly string[][] = [
  ['cli.ts', 'worker.ts', 'commands', 'http', 'demo'],
  ['recurring.ts', 'doctor'],
  ['open-app.ts'],
  ['open-queue.ts'],
  ['open-installation.ts'],
  ['actions'],
  ['app.ts'],
  ['config.ts', 'db', 'files', 'log.ts', 'machine', 'metrics', 'public-web', 'redis', 'resend', 'templates'],
  ['failpoint.ts'],
  ['core'],
]

/** A technology has one room, so that it can be replaced there. */
const HOME_OF: Record<string, string[]> = {
  'better-sqlite3': ['db'],
  bullmq: ['redis'],
  commander: ['cli.ts', 'commands'],
  'drizzle-orm': ['db'],
  fastify: ['http', 'commands'],
  ioredis: ['redis'],
  mjml: ['templates'],
  pg: ['db'],
  'prom-client': ['metrics'],
  resend: ['resend'],
}

/** Packages that compute without touching the world; core/ imports no others. */
const PURE = [
  '@date-fns/tz',
  'date-fns',
  'fastest-levenshtein',
  'handlebars',
  'ical-generator',
  'intl-messageformat',
  'node:crypto',
  'node:url',
  // Asks V8 to collect; see core/weighed.ts.
  'node:v8',
  'node:vm',
  'otpauth',
  'windows-iana',
  'zod',
]

/** Only these files read these; all others get them as arguments. */
const READ_IN: { what: RegExp; files: string[]; say: string }[] = [
  {
    what: /process\.env\b/,
    files: ['config.ts', 'cli.ts'],
    say: 'process.env: settings come from loadConfig',
  },
  {
    what: /\bDate\.now\(|\bnew Date\(\)/,
    files: ['open-installation.ts', 'commands/doctor.ts', 'db/postgres/open.ts'],
    say: 'the clock: ask app.now()',
  },
]

/** The action that commits also enqueues. A door that enqueued too would hide an action that forgot to. */
const ENQUEUES = /\bqueue\.(wake|forget)\w*\(/
const DOORS = ['cli.ts', 'commands', 'http', 'demo']

const SRC = join(import.meta.dirname, '../src')

test('imports point down, and technologies do not know one another', () => {
  expect(sourceFiles().flatMap(({ path, source }) => wrongTurns(path, source))).toEqual([])
})

test.each([
  [
    'core/mail/digest.ts',
    "import type { Db } from '../../db/open.ts'",
    'src/core/mail/digest.ts must not import db/open.ts: imports point down only',
  ],
  [
    'db/ledger/batches.ts',
    "import {\n  openQueue,\n} from '../../redis/queue.ts'",
    'must not import redis/queue.ts',
  ],
  ['actions/editions/sweep.ts', "import { startServer } from '../../http/server.ts'", 'point down only'],
  ['app.ts', "const { sweep } = await import('./actions/editions/sweep.ts')", 'point down only'],
  ['db/open.ts', "import { testApp } from '../../test/app.ts'", 'must not import ../test/app.ts'],
  ['resend/mailer.ts', "import 'bullmq/dist/worker.js'", 'must leave bullmq to redis'],
  ['core/mail/digest.ts', "import { readFile } from 'node:fs/promises'", 'is not pure'],
  ['http/server.ts', 'const port = process.env.PORT', 'must not read process.env'],
  ['worker.ts', '// at the start\nconst now = new Date()', 'ask app.now()'],
  ['commands/send.ts', 'await app.queue.wakeSweep()', 'must leave enqueueing to the action'],
  ['helpers.ts', '', 'is in no room'],
])('%s with %j is a wrong turn', (path, source, reason) => {
  expect(wrongTurns(path, source).join()).toContain(reason)
})

test.each([
  ['worker.ts', 'const at = new Date(slot)'],
  ['open-installation.ts', "import { openDb } from './db/open.ts'\nimport { z } from 'zod'"],
])('%s with %j is fine', (path, source) => {
  expect(wrongTurns(path, source)).toEqual([])
})

function sourceFiles(): { path: string; source: string }[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(path))
    .map((path) => ({ path, source: readFileSync(join(SRC, path), 'utf8') }))
}

/** What a file must not import or read but does, one sentence each; `path` is relative to src. */
function wrongTurns(path: string, source: string): string[] {
  const room = roomOf(path)
  const here = `src/${path}`
  if (lineOf(room) < 0) return [`${here} is in no room: name its folder in SHAPE of test/imports.test.ts`]
  const turns = importsOf(source).map((name) =>
    name.startsWith('.') ? wrongFile(room, join(path, '..', name)) : wrongPackage(room, name),
  )
  const code = withoutComments(source)
  for (const { what, files, say } of READ_IN)
    if (room !== 'demo' && !files.includes(path) && what.test(code)) turns.push(`must not read ${say}`)
  if (DOORS.includes(room) && ENQUEUES.test(code))
    turns.push('must leave enqueueing to the action that commits')
  return turns.filter((turn) => turn !== null).map((turn) => `${here} ${turn}`)
}

function wrongFile(room: string, target: string): string | null {
  const other = roomOf(target)
  const isDoor = lineOf(room) === 0 && lineOf(other) === 0
  const down = other === room || isDoor || lineOf(other) > lineOf(room)
  return down ? null : `must not import ${target}: imports point down only`
}

function wrongPackage(room: string, specifier: string): string | null {
  const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier
  if (room === 'core') return PURE.includes(name) ? null : `must not import ${specifier}, which is not pure`
  const homes = HOME_OF[name]
  return !homes || homes.includes(room) || room === 'demo'
    ? null
    : `must leave ${name} to ${homes.join(' and ')}`
}

/** The modules a source names; data (`../package.json`) is not one. */
function importsOf(source: string): string[] {
  const found = withoutComments(source).matchAll(/(?<!\.)\b(?:from|import)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name = '']) => name).filter((name) => !name.endsWith('.json'))
}

const withoutComments = (source: string) => source.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '')

const lineOf = (room: string) => SHAPE.findIndex((line) => line.includes(room))

const roomOf = (path: string) => path.split('/')[0] ?? path
