import type { ImportResult, RowError } from '../actions/imports/records.ts'
import { number } from './layout.ts'
import type { Terminal } from './terminal.ts'

const MOST_SHOWN = 20

/** Prints the result of an import and returns the exit code: a refused file is invalid input. */
export function reportImport(
  terminal: Terminal,
  options: { json?: boolean; skipInvalid?: boolean },
  { kind, report }: ImportResult,
): number {
  const { added, updated, unchanged, rejected } = report
  const counts = `${number(added)} added, ${number(updated)} updated, ${number(unchanged)} unchanged.`
  const lines = listed(rejected)
  if (kind !== 'refused') {
    const done =
      kind === 'imported' ? counts : `An import would come to this: ${counts}\nNothing was imported.`
    terminal.show(
      options,
      kind === 'imported' ? report : { ...report, preview: true },
      [done, ...(lines.length > 0 ? ['Left unchanged:', ...lines] : [])].join('\n'),
    )
    return 0
  }
  if (options.json) terminal.show(options, report, '')
  const skip = options.skipInvalid ? '' : ', or use --skip-invalid to leave them out'
  terminal.note(['Nothing was imported. Fix these rows and import again' + `${skip}:`, ...lines].join('\n'))
  return 2
}

function listed(rejected: readonly RowError[]): string[] {
  const lines = rejected
    .slice(0, MOST_SHOWN)
    .map((error) => `  ${placeOf(error)}${error.field} ${error.message}`)
  const more = rejected.length - lines.length
  return more > 0 ? [...lines, `  and ${number(more)} more (--json lists them all)`] : lines
}

function placeOf({ line, item }: RowError): string {
  if (item !== undefined) return `item ${item}: `
  return line === undefined ? '' : `line ${line}: `
}
