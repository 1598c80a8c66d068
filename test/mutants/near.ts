import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** For each file, the files that import it. Paths are relative to the folder of the project. */
export type Importers = ReadonlyMap<string, readonly string[]>

/** How long a test file takes when nothing is wrong, in seconds. A test that fails even then is not in here. */
export type Seconds = ReadonlyMap<string, number>

/** The test files to run on a mutant: the second round only if the first notices nothing. */
export type Rounds = { first: string[]; second: string[] }

const FIRST = { files: 10, seconds: 50, distance: 3 }
const SECOND = { files: 15, seconds: 50 }

/** Never in a round: they need a browser, or another database. */
const APART = /^test\/(browser|postgres)\//
/** Only in the second round: they start the whole program. */
const SLOW = /^test\/cli|^src\/demo\//

/** Every file of this kind in the folder, sorted. */
export function filesIn(folder: string, under: string): string[] {
  return readdirSync(join(folder, under), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => join(under, path))
    .sort()
}

/** Reads the import lines of every file. Imports of types do not count: they are gone when the program runs. */
export function importersIn(folder: string): Importers {
  const importers = new Map<string, string[]>()
  for (const file of [...filesIn(folder, 'src'), ...filesIn(folder, 'test')]) {
    for (const imported of importsOf(file, readFileSync(join(folder, file), 'utf8'))) {
      const known = importers.get(imported)
      if (known) known.push(file)
      else importers.set(imported, [file])
    }
  }
  return importers
}

function importsOf(file: string, source: string): string[] {
  const withoutTypes = source.replace(/\b(import|export) type [^']*'[^']*'/g, '')
  const found = withoutTypes.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g)
  return [...found].map(([, path = '']) => join(dirname(file), path))
}

/** The rounds for a file. Without `seconds`, every test that may be asked for, however long it takes. */
export function roundsFor(file: string, importers: Importers, seconds: Seconds | null): Rounds {
  const distances = distancesFrom(file, importers)
  const farther = (one: string) => distances.get(one) ?? Infinity
  const tests = [...distances.keys()]
    .filter((path) => path.endsWith('.test.ts') && !APART.test(path) && (!seconds || seconds.has(path)))
    .sort(
      (one, other) =>
        Number(dirname(other) === dirname(file)) - Number(dirname(one) === dirname(file)) ||
        Number(sharesNoun(other, file)) - Number(sharesNoun(one, file)) ||
        farther(one) - farther(other) ||
        sharedFolders(other, file) - sharedFolders(one, file) ||
        (seconds?.get(one) ?? 0) - (seconds?.get(other) ?? 0) ||
        (one < other ? -1 : 1),
    )
  const near = tests.filter((path) => !SLOW.test(path) && farther(path) <= FIRST.distance)
  const first = upTo(FIRST, near, seconds)
  const rest = tests.filter((path) => !first.includes(path))
  return { first, second: upTo(SECOND, [...rest].sort(inOrder), seconds) }
}

const ORACLE = 'test/coverage.test.ts'

/** First the test that knows who must be shown what, last those that start the whole program. */
const order = (path: string) => (path === ORACLE ? -1 : Number(SLOW.test(path)))
const inOrder = (one: string, other: string) => order(one) - order(other)

/** How many imports lie between a file and each file that reaches it: 1 = imports it directly. */
function distancesFrom(file: string, importers: Importers): Map<string, number> {
  const distances = new Map([[file, 0]])
  // A map gives what is added while it is read, so this goes on outward until nothing is new.
  for (const [reached, distance] of distances)
    for (const importer of importers.get(reached) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1)
  return distances
}

/** A thing has the same name in every layer, so a test of that name is near however many imports lie between. */
function sharesNoun(one: string, other: string): boolean {
  const nouns = new Set(nounsOf(other))
  return nounsOf(one).some((noun) => nouns.has(noun))
}

const nounsOf = (path: string): string[] =>
  basename(path)
    .replace(/(\.test)?\.ts$/, '')
    .split('-')
    .map((word) => word.replace(/s$/, ''))

function sharedFolders(one: string, other: string): number {
  const folders = dirname(other).split('/')
  const differs = dirname(one)
    .split('/')
    .findIndex((folder, index) => folder !== folders[index])
  return differs < 0 ? dirname(one).split('/').length : differs
}

/** The first files that fit into both limits; a slow one is passed over, unless nothing else is there. */
function upTo(limit: { files: number; seconds: number }, tests: readonly string[], seconds: Seconds | null) {
  const chosen: string[] = []
  let total = 0
  for (const path of tests) {
    const takes = seconds?.get(path) ?? 0
    if (chosen.length >= limit.files || (chosen.length > 0 && total + takes > limit.seconds)) continue
    chosen.push(path)
    total += takes
  }
  return chosen
}
