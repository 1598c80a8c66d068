import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureEngines } from './parts/engines.ts'
import { measureIdle } from './parts/idle.ts'
import { measureKills } from './parts/kills.ts'
import { measureLimit } from './parts/limit.ts'
import { measurePeers } from './parts/peers.ts'
import { measureScale } from './parts/scale.ts'
import { measureYear } from './parts/year.ts'
import { FULL, QUICK } from './plan.ts'
import { writeReport } from './report/report.ts'
import type { Results } from './results.ts'
import type { Bench } from './run.ts'
import { tortureRows } from './torture-rows.ts'

const PARTS = {
  idle: measureIdle,
  limit: measureLimit,
  peers: measurePeers,
  engines: measureEngines,
  scale: measureScale,
  kills: measureKills,
  year: measureYear,
}
type Part = keyof typeof PARTS

const HELP = `npm run bench [-- --only PART --quick --out FOLDER --torture FILE]

  --only PART     one of ${Object.keys(PARTS).join(', ')}; can be repeated
  --quick         a tiny run, in under a minute, to check that everything works
  --out FOLDER    where to write; default: bench/ for a whole run, otherwise a new folder (its name is printed)
  --torture FILE  results of \`npm run torture -- --json FILE\`; default: bench/torture/rows.json`

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    torture: { type: 'string', default: join(import.meta.dirname, 'torture/rows.json') },
    help: { type: 'boolean', default: false },
  },
})
const chosen = partsNamed(values.only ?? Object.keys(PARTS))
if (values.help || chosen === null) {
  console.error(HELP)
  process.exit(values.help ? 0 : 2)
}

const folder = mkdtempSync(join(tmpdir(), 'openseat-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const isWhole = !values.quick && chosen.length === Object.keys(PARTS).length
const out = values.out ?? (isWhole ? import.meta.dirname : mkdtempSync(join(tmpdir(), 'openseat-report-')))
console.log(writeReport(await measure(chosen), out))
console.error(`written to ${out}`)

async function measure(parts: readonly Part[]): Promise<Results> {
  const plan = values.quick ? QUICK : FULL
  const bench: Bench = { plan, folder, say: (text) => console.error(text) }
  const results: Results = {
    kind: values.quick ? 'quick' : 'full',
    plan,
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Linux ${release()}`,
    versions: versions(),
    loadBefore: loadavg()[0] ?? 0,
    peers: null,
    engines: null,
    scale: null,
    limit: null,
    idle: null,
    kills: null,
    year: null,
    torture: tortureRows(values.torture),
  }
  for (const part of parts) {
    console.error(`\n${part}, ${new Date().toISOString().slice(11, 19)}`)
    try {
      Object.assign(results, { [part]: await PARTS[part](bench) })
    } catch (error) {
      // Keep going: the other parts take minutes and do not depend on this one.
      console.error(`${part} failed:`, error)
      process.exitCode = 1
    }
  }
  return results
}

function partsNamed(names: readonly string[]): Part[] | null {
  const known = names.filter((name): name is Part => name in PARTS)
  return known.length === names.length ? known : null
}

function versions(): string {
  const all = { ...dependenciesIn('../package.json'), ...dependenciesIn('package.json') }
  const named = ['resend', 'bullmq', 'better-sqlite3', 'mjml', 'nodemailer', '@react-email/components']
  return [`Node ${process.versions.node}`, ...named.map((name) => `${name} ${all[name]}`)].join(', ')
}

function dependenciesIn(file: string): Record<string, string> {
  const read = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string> | undefined
  >
  return { ...read.devDependencies, ...read.dependencies }
}
