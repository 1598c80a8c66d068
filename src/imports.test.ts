import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

/**
 * The program from the top down. A file may import its own group and the groups of lower lines; groups that share
 * a line do not know one another.
 */
const SHAPE: Record<string, string[]>[] = [
  { doors: ['cli.ts', 'worker.ts', 'commands/', 'http/', 'dev/demo.ts'] },
  { dev: ['dev/'] },
  { actions: ['actions/'] },
  { app: ['app.ts'] },
  {
    config: ['config.ts', 'env-file.ts'],
    db: ['db/'],
    files: ['read-records.ts', 'mail-file.ts', 'private-file.ts'],
    log: ['log.ts'],
    mail: ['mail.ts', 'mail-check.ts', 'webhook-signature.ts'],
    metrics: ['metrics.ts'],
    process: ['process-identity.ts'],
    redis: ['queue.ts', 'private-redis.ts', 'redis-check.ts', 'find-program.ts'],
    templates: [
      'templates.ts',
      'page-templates.ts',
      'template-check.ts',
      'template-source.ts',
      'catalogues.ts',
      'compile-mjml.ts',
      'mjml-compiler.ts',
    ],
  },
  { failpoint: ['failpoint.ts'] },
  { core: ['core/'] },
]

/** A technology has one home, so that it can be replaced there. */
const HOME_OF: Record<string, string[]> = {
  'better-sqlite3': ['db'],
  bullmq: ['redis'],
  commander: ['doors'],
  'drizzle-orm': ['db'],
  fastify: ['doors'],
  ioredis: ['redis'],
  mjml: ['templates'],
  'prom-client': ['metrics'],
  resend: ['mail'],
}

/** What computes without touching the world. */
const PURE = [
  '@date-fns/tz',
  'date-fns',
  'fastest-levenshtein',
  'handlebars',
  'ical-generator',
  'intl-messageformat',
  'node:crypto',
  'node:url',
  'windows-iana',
  'zod',
]

/** What only these files read; the rest is given it as an argument. */
const READ_IN: { what: RegExp; files: string[]; say: string }[] = [
  {
    what: /process\.env\b/,
    files: ['config.ts', 'cli.ts'],
    say: 'process.env: settings come from loadConfig',
  },
  {
    what: /\bDate\.now\(|\bnew Date\(\)/,
    files: ['app.ts', 'commands/doctor.ts'],
    say: 'the clock: ask app.now()',
  },
]

test('imports point down, and technologies do not know one another', () => {
  expect(sourceFiles().flatMap(({ path, source }) => wrongTurns(path, source))).toEqual([])
})

test('a wrong turn is told, whichever way it goes', () => {
  const told = (path: string, source: string) => wrongTurns(path, source).join()
  expect(told('core/email.ts', "import { z } from 'zod'\nimport type { Db } from '../db/open.ts'")).toBe(
    'src/core/email.ts (core) must not import db/open.ts (db): imports point down only',
  )
  expect(told('db/ledger.ts', "import {\n  openQueue,\n} from '../queue.ts'")).toContain(
    'must not import queue.ts',
  )
  expect(told('actions/sweep.ts', "import { startServer } from '../http/server.ts'")).toContain(
    'point down only',
  )
  expect(told('app.ts', "const { sweep } = await import('./actions/sweep.ts')")).toContain('point down only')
  expect(told('mail.ts', "import 'bullmq/dist/worker.js'")).toBe(
    'src/mail.ts (mail) must leave bullmq to redis',
  )
  expect(told('core/email.ts', "import { readFile } from 'node:fs/promises'")).toContain('is not pure')
  expect(told('http/server.ts', 'const port = process.env.PORT')).toContain('must not read process.env')
  expect(told('worker.ts', '// at the start\nconst now = new Date()')).toContain('ask app.now()')
  expect(told('worker.ts', 'const at = new Date(slot)')).toBe('')
  expect(told('helpers.ts', '')).toContain('belongs to no group')
  expect(told('app.ts', "import { openDb } from './db/open.ts'\nimport { z } from 'zod'")).toBe('')
})

function sourceFiles(): { path: string; source: string }[] {
  const root = import.meta.dirname
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(test|fixture)\.ts$|^testing\.ts$/.test(path))
    .map((path) => ({ path, source: readFileSync(join(root, path), 'utf8') }))
}

/** What a file imports or reads that it should not, each said as a sentence; `path` is relative to src. */
function wrongTurns(path: string, source: string): string[] {
  const group = groupOf(path)
  if (group === undefined) return [`src/${path} belongs to no group: name it in SHAPE of src/imports.test.ts`]
  const here = `src/${path} (${group})`
  const turns = importsOf(source).map((name) =>
    name.startsWith('.') ? wrongFile(group, join(path, '..', name)) : wrongPackage(group, name),
  )
  const code = withoutComments(source)
  for (const { what, files, say } of READ_IN)
    if (group !== 'dev' && !files.includes(path) && what.test(code)) turns.push(`must not read ${say}`)
  return turns.filter((turn) => turn !== null).map((turn) => `${here} ${turn}`)
}

function wrongFile(group: string, target: string): string | null {
  const other = groupOf(target)
  if (other === undefined) return `must not import ${target}: it is for tests, or belongs to no group`
  const down = lineOf(other) > lineOf(group) || other === group
  return down ? null : `must not import ${target} (${other}): imports point down only`
}

function wrongPackage(group: string, specifier: string): string | null {
  const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier
  if (group === 'core') return PURE.includes(name) ? null : `must not import ${specifier}, which is not pure`
  const homes = HOME_OF[name]
  return !homes || homes.includes(group) || group === 'dev'
    ? null
    : `must leave ${name} to ${homes.join(' and ')}`
}

/** The modules a source names; data (`../package.json`) is not one. */
function importsOf(source: string): string[] {
  const found = withoutComments(source).matchAll(/(?<!\.)\b(?:from|import)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name = '']) => name).filter((name) => !name.endsWith('.json'))
}

const withoutComments = (source: string) => source.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '')

const lineOf = (group: string) => SHAPE.findIndex((line) => group in line)

function groupOf(path: string): string | undefined {
  const groups = SHAPE.flatMap((line) => Object.entries(line))
  return groups.find(([, places]) =>
    places.some((place) => path === place || (place.endsWith('/') && path.startsWith(place))),
  )?.[0]
}
