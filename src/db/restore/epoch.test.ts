import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openSqlite } from '../sqlite/open.ts'
import type { Store } from '../store.ts'
import { advanceEpoch, currentHold, lookForCopy, RELEASE_GAP, skipEpochAhead } from './epoch.ts'
import { establishFact } from './facts.ts'
import { witnessOf } from './witness.ts'

const NOW = new Date('2026-11-23T15:00:00.000Z')
const LATER = new Date('2026-11-23T16:00:00.000Z')

let folder: string
let path: string
const open: Store[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-epoch-'))
  path = join(folder, 'openseat.db')
})

afterEach(async () => {
  await end()
  rmSync(folder, { recursive: true, force: true })
})

test('an installation that goes on where it was is never held, however often it starts, nor after a rename', async () => {
  for (let start = 1; start <= 3; start += 1) {
    const store = begin()
    expect(await lookForCopy(store, NOW)).toBeNull()
    expect(await advanceEpoch(store, NOW)).toBe(start + 1)
    await end()
  }
  const elsewhere = join(folder, 'elsewhere')
  renameSync(path, elsewhere)
  renameSync(`${path}.epoch`, `${elsewhere}.epoch`)
  path = elsewhere
  expect(await lookForCopy(begin(), NOW)).toBeNull()
})

test('one from before there was an epoch is not held; nor is a new one beside what an old one left', async () => {
  const store = begin()
  await establishFact(store, 'hash_key', 'wrapped')
  expect(await lookForCopy(store, NOW)).toBeNull()
  await advanceEpoch(store, NOW)
  expect(witness().epoch).toBe(2)
  await end()
  rmSync(path)
  const anew = begin()
  expect(await lookForCopy(anew, NOW)).toBeNull()
  expect(await advanceEpoch(anew, NOW)).toBeGreaterThan(2)
})

test('an older copy is held, also over the same file, and also one from before there was an epoch', async () => {
  const copy = join(folder, 'copy')
  const old = begin()
  await establishFact(old, 'hash_key', 'wrapped')
  await end()
  copyFileSync(path, `${copy}-0`)
  await worked(2)
  copyFileSync(path, `${copy}-1`)
  await worked(1)
  for (const [which, knownThrough] of [
    ['0', null],
    ['1', NOW.getTime()],
  ] as const) {
    copyFileSync(`${copy}-${which}`, path)
    expect(await lookForCopy(begin(), LATER)).toEqual({
      reason: 'older',
      since: LATER.getTime(),
      knownThrough,
    })
    await end()
  }
})

test('a copy of everything in another place is held, and so is another file in the same place', async () => {
  await worked(2)
  const [store, beside] = [readFileSync(path), readFileSync(`${path}.epoch`)]
  const home = path
  path = join(folder, 'copied')
  writeFileSync(path, store)
  writeFileSync(`${path}.epoch`, beside)
  expect(await lookForCopy(begin(), NOW)).toMatchObject({ reason: 'moved', knownThrough: NOW.getTime() })
  await end()

  path = home
  writeFileSync(`${path}.other`, store)
  renameSync(`${path}.other`, path)
  expect(await lookForCopy(begin(), NOW)).toMatchObject({ reason: 'moved' })
})

test('a database without what stood beside it is held, and so is one whose witness cannot be read', async () => {
  await worked(1)
  const beside = readFileSync(`${path}.epoch`)
  writeFileSync(`${path}.epoch`, '{"epoch":')
  expect(await lookForCopy(begin(), NOW)).toMatchObject({ reason: 'unwitnessed' })
  writeFileSync(`${path}.epoch`, beside)
  await end()
  rmSync(`${path}.epoch`)
  expect(await lookForCopy(begin(), NOW)).toMatchObject({ reason: 'unwitnessed' })
})

test('one that Redis has seen further is held; a Redis that knows nothing or less holds nothing', async () => {
  const store = begin()
  await lookForCopy(store, NOW)
  const epoch = (await advanceEpoch(store, NOW)) ?? 0
  expect(await lookForCopy(store, NOW, null)).toBeNull()
  expect(await lookForCopy(store, NOW, epoch - 1)).toBeNull()
  expect(await lookForCopy(store, NOW, epoch)).toBeNull()
  expect(await lookForCopy(store, NOW, epoch + 1)).toMatchObject({ reason: 'older' })
})

test('killed between the database and the file beside it, at any step, it is not held', async () => {
  const store = begin()
  await lookForCopy(store, NOW)
  const atZero = readFileSync(`${path}.epoch`)
  await advanceEpoch(store, NOW)
  const atTwo = readFileSync(`${path}.epoch`, 'utf8')
  await advanceEpoch(store, NOW)
  // What a kill leaves is the older content in the file that is there.
  for (const content of [atTwo, atZero]) {
    const { epoch } = JSON.parse(String(content)) as { epoch: number }
    writeFileSync(`${path}.epoch`, JSON.stringify({ ...witness(), epoch }))
    expect(await lookForCopy(store, NOW)).toBeNull()
  }
  writeFileSync(`${path}.epoch.new`, 'half')
  expect(await advanceEpoch(store, NOW)).toBe(witness().epoch)
})

test('a hold lasts until released, whatever is restored, and a release puts the epoch ahead of every copy', async () => {
  await worked(3)
  const copy = join(folder, 'copy')
  copyFileSync(path, copy)
  const beside = readFileSync(`${path}.epoch`)
  writeFileSync(`${path}.epoch`, JSON.stringify({ ...witness(), epoch: 9 }))
  const store = begin()
  const hold = await lookForCopy(store, NOW)
  expect(hold).toMatchObject({ reason: 'older' })
  writeFileSync(`${path}.epoch`, beside)
  expect(await lookForCopy(store, new Date(0))).toEqual(hold)
  expect(await advanceEpoch(store, NOW)).toBeNull()

  const epoch = await store.write((tx) => skipEpochAhead(tx, witnessOf(store), NOW, 12))
  expect(epoch).toBe(RELEASE_GAP + 12)
  expect(await currentHold(store)).toBeNull()
  expect(await lookForCopy(store, NOW, epoch)).toBeNull()
  await end()
  copyFileSync(copy, path)
  expect(await lookForCopy(begin(), NOW)).toMatchObject({ reason: 'older' })
})

test('two processes that advance the epoch at once leave a file that is not ahead, and cause no hold', async () => {
  const [one, two] = [begin(), begin()]
  await Promise.all([lookForCopy(one, NOW), lookForCopy(two, NOW)])
  for (let n = 0; n < 20; n += 1) {
    await Promise.all([advanceEpoch(one, NOW), advanceEpoch(two, NOW)])
    expect(await lookForCopy(one, NOW)).toBeNull()
  }
  expect(witness().epoch).toBe(41)
})

function begin(): Store {
  const store = openSqlite(path)
  open.push(store)
  return store
}

/** Closes what is open, so that the file holds everything. */
async function end(): Promise<void> {
  for (const store of open.splice(0)) await store.close()
}

/** A process that ran for so many steps, and ended. */
async function worked(steps: number): Promise<void> {
  const store = begin()
  await lookForCopy(store, NOW)
  for (let n = 0; n < steps; n += 1) await advanceEpoch(store, NOW)
  await end()
}

function witness(): { epoch: number } {
  return JSON.parse(readFileSync(`${path}.epoch`, 'utf8')) as { epoch: number }
}
