import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { say, wholeNumber } from '../command-line.ts'
import { type Random, randomFrom } from '../torture/random.ts'
import { reasonFor } from './argued.ts'
import { cleanUp, makeCopy, runOn, timesOf } from './copy.ts'
import { filesIn, type Importers, importersIn, roundsFor, type Seconds } from './near.ts'
import { type Mutant, mutantsOf } from './points.ts'

const FOLDERS = ['src/core', 'src/actions', 'src/db']
/** Tests on Postgres are another command, so nothing here would notice a mistake in its driver, or in the move to it. */
const LEFT_ALONE = /\.test\.ts$|^src\/db\/(schema|postgres|restore\/move\.ts$)/

const HELP = `Makes one small mistake at a time in a copy of the program, and sees whether the tests notice.

npm run mutants [-- OPTIONS]
  --seed N      chooses the mistakes; the same number chooses the same (default: today's date, such as 20261123)
  --count N     how many mistakes to make (default 300)
  --only PATH   only in files whose path starts with PATH, such as src/core/audience
  --jobs N      how many to try at a time, each in a copy of its own (default 1)
  --json FILE   write the rows to FILE
  --times FILE  how long each test file takes; measured first, and kept there, unless FILE is there

For each mistake the nearest tests run, and then others that reach the file, up to the first that fails. A mistake that
nothing notices survives. The exit code is 1 if one survives that test/mutants/argued.ts does not give a reason for.`

type Options = {
  seed: number
  count: number
  only: string
  jobs: number
  json: string | null
  times: string | null
}

/** What became of a mutant; `note` is the test that noticed, or the reason why none has to. */
type Row = Pick<Mutant, 'file' | 'line' | 'source' | 'change'> & {
  number: number
  outcome: 'killed' | 'timed out' | 'survived' | 'argued'
  note: string
  tests: number
  seconds: number
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: new Date().toISOString().slice(0, 10).replaceAll('-', '') },
      count: { type: 'string', default: '300' },
      only: { type: 'string', default: '' },
      jobs: { type: 'string', default: '1' },
      json: { type: 'string' },
      times: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(HELP, 0)
  const options: Options = {
    seed: wholeNumber('--seed', values.seed),
    count: wholeNumber('--count', values.count),
    only: values.only,
    jobs: Math.max(1, wholeNumber('--jobs', values.jobs)),
    json: values.json ?? null,
    times: values.times ?? null,
  }
  const rows = await pass(options)
  if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
  const survived = rows.filter(({ outcome }) => outcome === 'survived' || outcome === 'argued').length
  const unargued = rows.filter(({ outcome }) => outcome === 'survived').length
  if (survived > unargued) console.log(`${survived - unargued} of the survivors are argued`)
  return say(
    `${rows.length - survived} killed, ${survived} survived`,
    unargued > 0 || rows.length === 0 ? 1 : 0,
  )
}

async function pass({ seed, count, only, jobs, times }: Options): Promise<Row[]> {
  const copies = Array.from({ length: jobs }, makeCopy)
  const first = copies[0] as string
  const files = FOLDERS.flatMap((under) => filesIn(first, under)).filter(
    (file) => file.startsWith(only) && !LEFT_ALONE.test(file),
  )
  const all = mutantsOf(first, files)
  const chosen = someOf(all, count, randomFrom(seed))
  console.log(`${chosen.length} of ${all.length} mutants in ${files.length} files; seed ${seed}`)
  const importers = importersIn(first)
  const kept = times !== null && existsSync(times) ? readFileSync(times, 'utf8') : null
  const seconds = kept
    ? new Map(Object.entries(JSON.parse(kept) as Record<string, number>))
    : await timed(first, chosen, importers)
  if (times !== null) writeFileSync(times, JSON.stringify(Object.fromEntries(seconds), null, 2))
  const rows: Row[] = []
  const left = chosen.entries()
  // The copies share one iterator, so each mutant goes to the first copy that is free.
  const work = async (copy: string) => {
    for (const [index, mutant] of left) {
      const row = await tried(index + 1, mutant, copy, importers, seconds)
      rows.push(row)
      report(row)
    }
  }
  await Promise.all(copies.map(work))
  return rows.sort((one, other) => one.number - other.number)
}

function someOf(all: readonly Mutant[], count: number, random: Random): Mutant[] {
  const left = [...all]
  const chosen: Mutant[] = []
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(random.below(left.length), 1))
  return chosen
}

/** Runs every test that may be needed without a mutant first: a test that fails then would kill anything. */
async function timed(copy: string, chosen: readonly Mutant[], importers: Importers): Promise<Seconds> {
  const files = new Set(chosen.map(({ file }) => file))
  const rounds = [...files].map((file) => roundsFor(file, importers, null))
  const tests = [...new Set(rounds.flatMap(({ first, second }) => [...first, ...second]))]
  if (tests.length === 0) return new Map()
  const started = performance.now()
  const seconds = await timesOf(copy, tests)
  const took = Math.round((performance.now() - started) / 1000)
  console.log(`without a mutant, ${seconds.size} of ${tests.length} test files pass, in ${took} s`)
  for (const test of tests) if (!seconds.has(test)) console.log(`  left out, as it fails: ${test}`)
  return seconds
}

async function tried(
  number: number,
  mutant: Mutant,
  copy: string,
  importers: Importers,
  times: Seconds,
): Promise<Row> {
  const { file, line, source, change } = mutant
  const started = performance.now()
  const { first, second } = roundsFor(file, importers, times)
  let tests = 0
  const row = (outcome: Row['outcome'], note: string): Row => {
    const seconds = Math.round((performance.now() - started) / 100) / 10
    return { number, file, line, source, change, outcome, note, tests, seconds }
  }
  for (const round of [first, second]) {
    if (round.length === 0) continue
    tests += round.length
    const { outcome, by } = await runOn(mutant, copy, round)
    if (outcome !== 'passed') return row(outcome === 'failed' ? 'killed' : outcome, by)
  }
  const reason = reasonFor(mutant)
  if (reason !== undefined) return row('argued', reason)
  return row('survived', tests === 0 ? 'no test reaches it' : `${tests} test files passed`)
}

function report({ number, file, line, change, outcome, note, seconds }: Row): void {
  const shown = outcome === 'survived' ? 'SURVIVED' : outcome
  const why = outcome === 'killed' || note === '' ? '' : `: ${note}`
  console.log(`${String(number).padStart(4)}  ${file}:${line}  ${change}  ${shown}${why}  (${seconds} s)`)
}

process.once('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const code = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 killed, 0 survived')
  return 1
})
process.exit(code)
