import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { findOrInstallProgram, findProgram, type Machine, redisServer } from './find-program.ts'

let bin: string
let announced: string[]
const announce = (line: string) => void announced.push(line)

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'openseat-bin-'))
  announced = []
})

afterEach(() => rmSync(bin, { recursive: true, force: true }))

/** A machine whose PATH holds nothing but these programs. */
function machine(programs: Record<string, string>, isRoot = true): Machine {
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return { env: { PATH: bin }, isRoot }
}

/** A package manager that records each call and installs a fake server. */
const installing = () => `
  echo "$*" >> '${bin}/calls'
  case "$*" in *redis-server) echo '#!/bin/sh' > '${bin}/redis-server'; /bin/chmod 755 '${bin}/redis-server';; esac`

test('redis-server is preferred; valkey-server is accepted', () => {
  expect(findProgram(redisServer, machine({ 'valkey-server': '' }))).toBe(join(bin, 'valkey-server'))
  expect(findProgram(redisServer, machine({ 'redis-server': '' }))).toBe(join(bin, 'redis-server'))
})

test.each([
  ['apt-get', true, 'with: apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y'],
  ['apt-get', false, "with: sudo sh -c 'apt-get update"],
  ['dnf', false, "with: sudo sh -c 'dnf install -y valkey'"],
  ['apk', true, 'with: apk add redis'],
  ['brew', false, 'with: brew install redis'],
])('a missing server is an error with the line for %s (root: %s)', (manager, isRoot, line) => {
  expect(() => findProgram(redisServer, machine({ [manager]: 'exit 1' }, isRoot))).toThrow(line)
})

test('without a known package manager the error still names the program and its purpose', () => {
  expect(() => findProgram(redisServer, machine({}))).toThrow(/redis-server or valkey-server.*REDIS_URL/)
})

test('root installs a missing server with the package manager, and the command is announced first', async () => {
  const found = await findOrInstallProgram(redisServer, announce, machine({ 'apt-get': installing() }))
  expect(found).toBe(join(bin, 'redis-server'))
  expect(announced).toEqual([
    expect.stringContaining('apt-get install -y --no-install-recommends redis-server'),
  ])
})

test('an existing server is not installed again', async () => {
  await findOrInstallProgram(redisServer, announce, machine({ 'redis-server': '', 'apt-get': installing() }))
  expect(announced).toEqual([])
})

test('without root, the error has the command line and nothing is run', async () => {
  const unprivileged = machine({ 'apt-get': installing() }, false)
  await expect(findOrInstallProgram(redisServer, announce, unprivileged)).rejects.toThrow('sudo sh -c')
  expect(announced).toEqual([])
  expect(() => findProgram(redisServer, unprivileged)).toThrow()
})

test('a failing package manager ends in the error with the line', async () => {
  const offline = machine({ 'apt-get': 'exit 100' })
  await expect(findOrInstallProgram(redisServer, announce, offline)).rejects.toThrow(
    'Install it with: apt-get',
  )
  expect(announced).toContain('apt-get failed (exit 100)')
})
