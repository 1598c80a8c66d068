import type { Command } from 'commander'
import { BadInput } from '../core/errors.ts'
import type { Check } from '../resend/check.ts'
import { counted } from './layout.ts'
import { command, type Terminal } from './terminal.ts'

/** Adds `doctor`. */
export function addDoctor(openseat: Command, terminal: Terminal): void {
  openseat
    .command('doctor')
    .description('check settings, database, Redis, Resend and the schedule, and say how to fix each')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: { json?: boolean }) => doctor(terminal, options)))
    .addHelpText(
      'after',
      '\nIt sends no email. It exits with 1 if something must be fixed before emails can go out.\n\nExample:\n  $ openseat doctor',
    )
}

async function doctor(terminal: Terminal, options: { json?: boolean }): Promise<number> {
  const checks = await allChecks(terminal)
  const failed = checks.filter(({ status }) => status === 'fail').length
  terminal.show(options, { ok: failed === 0, checks: checks.map(asJson) }, checkList(checks))
  return failed === 0 ? 0 : 1
}

async function allChecks(terminal: Terminal): Promise<Check[]> {
  try {
    const config = await terminal.config()
    const { openLog } = await import('../log.ts')
    const { examine } = await import('../doctor/doctor.ts')
    // Errors become checks.
    return await examine(config, { log: openLog(terminal.env.LOG_LEVEL ?? 'silent'), now: () => new Date() })
  } catch (error) {
    if (!(error instanceof BadInput)) throw error
    const problems = error.message.split('\n').slice(1)
    const checks = problems.map((line): Check => ({ name: 'settings', status: 'fail', detail: line.trim() }))
    return [...checks, { name: 'the rest', status: 'warn', detail: 'skipped: fix the settings first' }]
  }
}

/** In JSON the advice has the key `mend`, as it always had: programs read it. */
const asJson = ({ fix, ...check }: Check) => ({ ...check, ...(fix === undefined ? {} : { mend: fix }) })

function checkList(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.flatMap(({ name, status, detail, fix }) => [
    `${status.padEnd(4)}  ${name.padEnd(width)}  ${detail}`,
    ...(fix ? [`${' '.repeat(width + 8)}${fix}`] : []),
  ])
  const count = (wanted: Check['status']) => checks.filter(({ status }) => status === wanted).length
  const problems = count('fail') > 0 ? [`${counted(count('fail'), 'problem')} to fix`] : []
  const warnings = count('warn') > 0 ? [counted(count('warn'), 'warning')] : []
  const verdict = problems.length > 0 ? '' : 'Ready to send. '
  const counts = [...problems, ...warnings].join(', ')
  return [...lines, '', `${verdict}${counts && `${counts}.`}`.trim()].join('\n')
}
