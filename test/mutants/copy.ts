import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FAILED } from './first-failure.ts'
import type { Seconds } from './near.ts'
import type { Mutant } from './points.ts'

const ROOT = join(import.meta.dirname, '../..')
const ROUND_MS = 120_000
const ALL_TESTS_MS = 1_800_000
const JEST = [
  '--max-semi-space-size=64',
  '--disable-warning=ExperimentalWarning',
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '-i',
  '--forceExit', // a library's timer of a few seconds must not hold up each run
  '--config',
  'test/mutants/jest.config.ts',
]

/** How a run of tests ended; `by` is the test that failed, if one could be named. */
export type Verdict = { outcome: 'passed' | 'failed' | 'timed out'; by: string }

const running = new Set<ChildProcess>()
const folders = new Set<string>()

/** A copy of the project's files in a folder of its own, with the packages of the original. */
export function makeCopy(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'openseat-mutants-')))
  folders.add(folder)
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  for (const path of execFileSync('git', listed, { cwd: ROOT, encoding: 'utf8' }).split('\0'))
    if (path && existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(folder, path))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Ends every run and removes every copy. */
export function cleanUp(): void {
  for (const jest of running) end(jest)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
}

/** Runs these tests on a mutant, and puts the file back. */
export async function runOn(mutant: Mutant, folder: string, tests: readonly string[]): Promise<Verdict> {
  const path = join(folder, mutant.file)
  const honest = readFileSync(path, 'utf8')
  writeFileSync(path, honest.slice(0, mutant.start) + mutant.text + honest.slice(mutant.end))
  try {
    const options = ['--bail', '--reporters', '<rootDir>/test/mutants/first-failure.ts']
    return await runJest(folder, [...options, '--runTestsByPath', ...tests], ROUND_MS)
  } finally {
    writeFileSync(path, honest)
  }
}

/** Runs these tests on the unchanged program; the ones that fail even there are left out. */
export async function timesOf(folder: string, tests: readonly string[]): Promise<Seconds> {
  const file = join(folder, 'honest.json')
  await runJest(folder, ['--json', '--outputFile', file, '--runTestsByPath', ...tests], ALL_TESTS_MS)
  if (!existsSync(file)) throw new Error('the tests of the unchanged program did not come to an end')
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as {
    testResults: { name: string; status: string; startTime: number; endTime: number }[]
  }
  return new Map(
    testResults
      .filter(({ status }) => status === 'passed')
      .map(({ name, startTime, endTime }) => [name.slice(folder.length + 1), (endTime - startTime) / 1000]),
  )
}

async function runJest(folder: string, options: readonly string[], limitMs: number): Promise<Verdict> {
  const scratch = mkdtempSync(join(folder, 'tmp-'))
  // In a process group of its own, so that what the tests started ends with them.
  const jest = spawn(process.execPath, [...JEST, ...options], {
    cwd: folder,
    env: { ...process.env, TMPDIR: scratch },
    stdio: 'ignore',
    detached: true,
  })
  running.add(jest)
  let late = false
  const limit = setTimeout(() => {
    late = true
    end(jest)
  }, limitMs)
  const [code] = (await once(jest, 'exit')) as [number | null]
  clearTimeout(limit)
  end(jest)
  running.delete(jest)
  const by = existsSync(join(scratch, FAILED)) ? readFileSync(join(scratch, FAILED), 'utf8') : ''
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20 })
  return { outcome: late ? 'timed out' : code === 0 ? 'passed' : 'failed', by }
}

function end({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
