import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../config.ts'

/**
 * Node's settings for a process that stays for months, which count only from its first moment. Small nurseries: what
 * lives for a batch is bytes outside of V8, and larger ones are memory that is never given back. A heap that grows in small
 * steps: some 55 MB less at the peak of a sending, for 7 % of its speed (bench/README.md).
 */
export const SETTINGS = ['--expose-gc', '--max-semi-space-size=2', '--heap-growing-percent=55']

/** Malloc keeps what was freed for each thread apart, and 128 kB and more at the end of each; both add up to 10 MB. */
export const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' }

type Environment = Readonly<Record<string, string | undefined>>

const PROGRAM = join(import.meta.dirname, '../cli.ts')

/**
 * Replaces this process by itself with settings that halve its memory: same pid, arguments and streams. Node finds the
 * program compiled and its types stripped, so that its TypeScript compiler (20 MB) is not even loaded. The compiled code
 * is kept with the program, or where that may not be written, beside the database. Returns, and nothing is changed, where it
 * has been done or cannot be; do it before anything is open.
 */
export function becomeLean(environment: Environment, { DATABASE_PATH }: Pick<Config, 'DATABASE_PATH'>): void {
  const { argv, execArgv, execPath } = process
  const done = SETTINGS.every((setting) => execArgv.includes(setting))
  const isProgram = realpathSync(argv[1] ?? '') === PROGRAM
  if (done || !isProgram || process.connected || !process.execve) return
  const cache = compiledIn(environment, [
    join(PROGRAM, '../../node_modules/.cache/openseat'),
    `${resolve(DATABASE_PATH)}.cache`,
  ])
  const env = { ...MALLOC, ...(cache !== null && { NODE_COMPILE_CACHE: cache }), ...environment }
  process.execve(execPath, [execPath, ...execArgv, ...SETTINGS, ...argv.slice(1)], env)
}

/** Gives back what only the start needed: V8 would keep it, as a process that does little seldom collects. Some 100 ms. */
export function giveBackMemory(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/**
 * The first of `folders` that is ours: code is run from it, so nobody else may write there. A new one is filled by another
 * process, or the first start would not be lean.
 */
function compiledIn(environment: Environment, folders: readonly string[]): string | null {
  for (const folder of folders)
    try {
      const isNew = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined
      if (isNew) compileInto(folder, environment)
      if (statSync(folder).uid === process.getuid?.()) return folder
    } catch {} // what is wrong with a folder of the operator's is told when the database is opened
  return null
}

function compileInto(folder: string, environment: Environment): void {
  const code = 'cli config app queue mail templates metrics private-redis find-program http/server worker'
    .split(' ')
    .map((part) => `await import(${JSON.stringify(join(PROGRAM, `../${part}.ts`))})`)
    .join('\n')
  const args = [...SETTINGS, '--input-type=module', '--eval', code, '--', PROGRAM, '--version']
  const env = { ...environment, NODE_COMPILE_CACHE: folder }
  spawnSync(process.execPath, args, { cwd: dirname(PROGRAM), env, stdio: 'ignore', timeout: 30_000 })
}
