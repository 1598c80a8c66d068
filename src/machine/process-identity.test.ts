import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { afterTest } from '../../test/app.ts'
import { hasCertainlyEnded, identifyProcess } from './process-identity.ts'

test('a running process has not ended, a killed one has', async () => {
  const child = sleeper()
  const name = nameOf({ pid: child.pid ?? 0, start: startOf(child.pid ?? 0) })
  expect(hasCertainlyEnded(name)).toBe(false)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  expect(hasCertainlyEnded(name)).toBe(true)
})

test('this process has not ended, and each name is given once', () => {
  expect(hasCertainlyEnded(identifyProcess())).toBe(false)
  expect(identifyProcess()).not.toBe(identifyProcess())
})

test('a process has ended if its pid now belongs to another, even to ours', () => {
  const child = sleeper()
  expect(hasCertainlyEnded(nameOf({ pid: child.pid ?? 0, start: '12' }))).toBe(true)
  expect(hasCertainlyEnded(nameOf({ start: '12' }))).toBe(true)
})

test('nothing is certain about another container or machine with our host name, even if the pid does not exist here', () => {
  const { pid } = spawnSync('true')
  expect(hasCertainlyEnded(nameOf({ pid }))).toBe(true)
  for (const place of ['another-boot.pid:[4026531836]', '']) {
    expect(hasCertainlyEnded(nameOf({ pid, place }))).toBe(false)
    expect(hasCertainlyEnded(nameOf({ place, start: '12' }))).toBe(false)
  }
  expect(hasCertainlyEnded(`localhost/${pid}/as-before`)).toBe(false)
})

/** The name of this process, with some parts replaced. */
function nameOf(other: { pid?: number; place?: string; start?: string }): string {
  const [host, pid, , place, start] = identifyProcess().split('/')
  return [host, other.pid ?? pid, 'abcdefgh', other.place ?? place, other.start ?? start].join('/')
}

function startOf(pid: number): string {
  return (
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19] ?? ''
  )
}

function sleeper(): ChildProcess {
  const child = spawn('sleep', ['60'])
  afterTest(async () => void child.kill('SIGKILL'))
  return child
}
