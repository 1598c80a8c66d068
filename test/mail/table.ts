import type { Finding } from './finding.ts'

const SHOWN = 3

/** One row per gate, with its worst figure and its limit. */
export function tableOf(findings: readonly Finding[]): string {
  const gates = [...Map.groupBy(findings, ({ gate }) => gate)]
  const rows = gates.map(([gate, found]) => {
    const worst = found.reduce((a, b) => (b.figure - b.limit > a.figure - a.limit ? b : a))
    const failed = found.filter(({ faults }) => faults.length > 0).length
    return [
      gate,
      String(found.length),
      figure(worst.figure),
      figure(worst.limit),
      failed === 0 ? 'passed' : `FAILED in ${failed}`,
    ]
  })
  return layout([['gate', 'emails', 'worst', 'limit', ''], ...rows])
}

/** The faults by gate; each fault is listed once, with the emails that have it. */
export function faultsOf(findings: readonly Finding[], shown = SHOWN): string {
  const failed = findings.filter(({ faults }) => faults.length > 0)
  return [...Map.groupBy(failed, ({ gate }) => gate)]
    .map(([gate, found]) => {
      const each = found.flatMap(({ mail, faults }) => [...new Set(faults)].map((fault) => ({ mail, fault })))
      const faults = [...Map.groupBy(each, ({ fault }) => fault)].map(
        ([fault, where]) => `  ${fault.slice(0, 300)}\n    in ${namesOf(where.map(({ mail }) => mail))}`,
      )
      const rest = faults.length > shown ? [`  and ${faults.length - shown} more`] : []
      return [`${gate}:`, ...faults.slice(0, shown), ...rest].join('\n')
    })
    .join('\n\n')
}

function namesOf(mails: string[]): string {
  return mails.length <= 4 ? mails.join(', ') : `${mails.slice(0, 3).join(', ')} and ${mails.length - 3} more`
}

const figure = (n: number): string => (Number.isInteger(n) ? n.toLocaleString('en') : n.toFixed(3))

function layout(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column >= 1 && column <= 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
