import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../results.ts'
import { goalsTable } from './goals.ts'
import { killsPlot, killsSection } from './kills.ts'
import { methodSection } from './method.ts'
import { peersPlot, peersSection } from './peers.ts'
import { memoryPlot, scaleSection, throughputPlot } from './scale.ts'
import { idleSection, limitPlot, limitSection } from './steady.ts'
import { yearSection } from './year.ts'

/** Writes README.md, its pictures and the numbers behind them into `folder`, and returns the text of the README. */
export function writeReport(results: Results, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content)
  const { peers, scale, limit, idle, kills, year, torture } = results
  if (peers) write('peers.svg', peersPlot(peers))
  if (scale) write('throughput.svg', throughputPlot(scale))
  if (scale) write('memory.svg', memoryPlot(scale))
  if (limit) write('limit.svg', limitPlot(limit))
  if (kills) write('kills.svg', killsPlot(kills, torture))
  const text = [
    intro(results),
    goalsTable(results),
    ...(peers ? [peersSection(peers)] : []),
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
Load average before it began: ${loadBefore.toFixed(1)}. Compare ratios, not the numbers themselves: all contenders of a ratio ran in turns, in this one
run. The numbers behind the tables and pictures are in [results.jsonl](results.jsonl).
\`npm run bench -- --help\` tells how to run a part of it, or all of it in a minute.`
}

// `node bench/report/report.ts FOLDER` writes the report of a run again, from its results.jsonl.
if (import.meta.main) {
  const folder = process.argv[2] ?? join(import.meta.dirname, '..')
  const lines = readFileSync(join(folder, 'results.jsonl'), 'utf8').trim().split('\n')
  const results = Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Results
  writeReport(results, folder)
}
