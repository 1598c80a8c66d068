import type { KillRow, Results } from '../results.ts'
import { number, table, whole } from './tables.ts'

type TortureRow = Results['torture'][number]

/** What each contender loses when killed, and the latest results of `npm run torture`. */
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
    `Each contender was killed with SIGKILL when the provider had accepted a given share of its emails, then restarted, as often as
the table says. The provider did the counting. "Redis lost" means that Redis came back empty after the one kill. All ran at the
same time, so the seconds only show waiting: BullMQ returns the job of a dead worker after 30 to 60 s. *No keys* is the textbook
worker without idempotency keys, as in most guides.`,
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
  return `Results of the last \`npm run torture\`:\n\n${table(head, rows)}`
}
