import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../results.ts'
import { enginesSection } from './engines.ts'
import { goalsTable } from './goals.ts'
import { killsSection } from './kills.ts'
import { methodSection } from './method.ts'
import { peersSection } from './peers.ts'
import { scaleSection } from './scale.ts'
import { idleSection, limitSection } from './steady.ts'
import { yearSection } from './year.ts'

/** Writes README.md and results.jsonl, the numbers behind it, to `folder`. Returns the text of README.md. */
export function writeReport(results: Results, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content)
  const { peers, engines, scale, limit, idle, kills, year, torture } = results
  const text = [
    intro(results),
    goalsTable(results),
    ...(peers ? [peersSection(peers)] : []),
    ...(engines ? [enginesSection(engines)] : []),
    ...(scale ? [scaleSection(scale)] : []),
    ...(year ? [yearSection(year)] : []),
    ...(limit ? [limitSection(limit)] : []),
    ...(idle ? [idleSection(idle)] : []),
    ...(kills ? [killsSection(kills, torture)] : []),
    methodSection(results),
  ].join('\n\n')
  write('README.md', `${text}\n`)
  const lines = Object.entries(results).map(([name, value]) => `${JSON.stringify({ [name]: value })}\n`)
  write('results.jsonl', lines.join(''))
  return text
}

function intro({ kind, date, machine, versions, loadBefore }: Results): string {
  return `# Bench

Written by \`npm run bench${kind === 'quick' ? ' -- --quick' : ''}\` on ${date}: ${machine}, ${versions}.
Load average before the run: ${loadBefore.toFixed(1)}. Compare ratios, not absolute numbers: all contenders of a ratio took turns in this one
run. The numbers behind the tables are in [results.jsonl](results.jsonl).
\`npm run bench -- --help\` explains how to run only a part, or everything in a minute.`
}

// `node bench/report/report.ts FOLDER` rewrites the report of an earlier run from its results.jsonl.
if (import.meta.main) {
  const folder = process.argv[2] ?? join(import.meta.dirname, '..')
  const lines = readFileSync(join(folder, 'results.jsonl'), 'utf8').trim().split('\n')
  const results = Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Results
  writeReport(results, folder)
}
