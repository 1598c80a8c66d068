import type { ImportResult, RowError } from '../actions/imports/records.ts'
import type { FilePreview, previewSessionsFile } from '../actions/imports/sessions.ts'
import { number } from './layout.ts'
import type { Terminal } from './terminal.ts'

const MOST_SHOWN = 20

type Previewed = Awaited<ReturnType<typeof previewSessionsFile>>

/** Prints the result of an import and returns the exit code: a refused file is invalid input. */
export function reportImport(
  terminal: Terminal,
  options: { json?: boolean; skipInvalid?: boolean },
  result: ImportResult | Previewed,
): number {
  const { kind, report } = result
  const { added, updated, unchanged, rejected } = report
  const counts = `${number(added)} added, ${number(updated)} updated, ${number(unchanged)} unchanged.`
  const lines = listed(rejected)
  if (kind !== 'refused') {
    const done =
      kind === 'imported' ? counts : `An import would come to this: ${counts}\nNothing was imported.`
    terminal.show(
      options,
      kind === 'imported' ? report : { ...report, preview: true },
      [
        ...[done, ...('changes' in report ? previewLines(report) : [])],
        ...(lines.length > 0 ? ['Left unchanged:', ...lines] : []),
      ].join('\n'),
    )
    return 0
  }
  if (options.json) terminal.show(options, report, '')
  const skip = options.skipInvalid ? '' : ', or use --skip-invalid to leave them out'
  terminal.note(['Nothing was imported. Fix these rows and import again' + `${skip}:`, ...lines].join('\n'))
  return 2
}

/** What each session would become, and what to look at twice. */
function previewLines({ changes, past, kept, odd }: FilePreview): string[] {
  const changed = changes
    .slice(0, MOST_SHOWN)
    .flatMap(({ externalId, group, fields }) => [
      `  ${externalId} (${group})`,
      ...fields.map(
        ({ field, before, after }) => `    ${field}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`,
      ),
    ])
  const more = changes.length - MOST_SHOWN
  return [
    ...(kept > 0 ? [`Not in the file, and kept as they are: ${number(kept)}.`] : []),
    ...(changed.length > 0 ? ['Would change:', ...changed] : []),
    ...(more > 0 ? [`  and ${number(more)} more (--json lists them all)`] : []),
    ...past
      .slice(0, MOST_SHOWN)
      .map((id) => `Warning: ${id} is over, so no one is shown it; is the year right?`),
    ...(odd === null ? [] : [`Warning: ${ODD[odd]}`]),
  ]
}

const ODD = {
  many: 'more than a fifth of your sessions would change; was one column sorted without the others?',
  shifted: 'every start moves by the same amount; is the file in another time zone?',
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
