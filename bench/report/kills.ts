import { type Cell, gridPlot } from '../plots/grid.ts'
import type { KillRow, Results } from '../results.ts'
import { number, table, whole } from './tables.ts'

type TortureRow = Results['torture'][number]

/** What each loses when killed, and what the torture bench found of ours. */
export function killsSection(kills: readonly KillRow[], torture: readonly TortureRow[]): string {
  const rows = kills.map(({ who, what, kills, recipients, once, twice, never, seconds }) => [
    who,
    what,
    String(kills),
    whole(recipients),
    whole(once),
    bold(twice),
    bold(never),
    `${number(seconds)} s`,
  ])
  const head = ['', 'what happened', 'kills', 'recipients', 'once', 'twice', 'never', 'last run']
  return [
    '## Killed in the middle',
    '![Who was mailed once, twice and never after a kill](kills.svg)',
    `Each was killed with SIGKILL when the provider had taken a certain share of its mails, and started again, so many times; the
provider counted. Where Redis was lost, at the one kill, it came back empty. All ran at once, so the seconds tell only of waiting:
BullMQ gives back a job that its dead worker held after 30 to 60 s. *No keys* is the textbook worker without idempotency keys, as
most guides have it.`,
    table(head, rows),
    ...(torture.length > 0 ? [tortureTable(torture)] : []),
  ].join('\n\n')
}

const bold = (count: number): string => (count > 0 ? `**${whole(count)}**` : '0')

function tortureTable(torture: readonly TortureRow[]): string {
  const rows = torture.map((row) => [
    row.scenario,
    ...[row.kills, row.faults, row.recipients, row.once].map(whole),
    ...[row.twice, row.never].map(bold),
    whole(row.unknown),
    row.passed ? 'passed' : '**failed**',
  ])
  const head = ['scenario', 'kills', 'faults', 'recipients', 'once', 'twice', 'never', 'unknown', '']
  return `What \`npm run torture\` found when it was last run:\n\n${table(head, rows)}`
}

export function killsPlot(kills: readonly KillRow[], torture: readonly TortureRow[]): string {
  const rows = kills.map(({ who, what, recipients, once, twice, never }) => [
    ...cells(who, what, recipients, once, twice, never),
    { text: '' },
  ])
  const all = torture.reduce(
    (sum, row) => ({
      kills: sum.kills + row.kills,
      recipients: sum.recipients + row.recipients,
      once: sum.once + row.once,
      twice: sum.twice + row.twice,
      never: sum.never + row.never,
      unknown: sum.unknown + row.unknown,
    }),
    { kills: 0, recipients: 0, once: 0, twice: 0, never: 0, unknown: 0 },
  )
  if (torture.length > 0)
    rows.push([
      ...cells(
        'openseat, tortured',
        `${whole(all.kills)} kills`,
        all.recipients,
        all.once,
        all.twice,
        all.never,
      ),
      { text: whole(all.unknown) },
    ])
  const head = ['', 'what happened', 'recipients', 'once', 'twice', 'never', 'unknown']
  const words = {
    title: 'Killed in the middle, and started again',
    subtitle: 'Recipients by how often the provider accepted their mail.',
  }
  return gridPlot(words, head, rows)
}

function cells(who: string, what: string, ...counts: [number, number, number, number]): Cell[] {
  const [recipients, once, twice, never] = counts
  const count = (value: number): Cell => ({ text: whole(value), alarm: value > 0 ? 'bad' : 'good' })
  return [
    { text: who },
    { text: what },
    { text: whole(recipients) },
    { text: whole(once) },
    count(twice),
    count(never),
  ]
}
