import type { Previewed } from '../../../actions/imports/by-hand.ts'
import type { RowError } from '../../../actions/imports/records.ts'
import type { Translator } from '../../../core/words/words.ts'
import type { FileRow, SessionImport } from '../../../db/imports/by-hand.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { labelOf } from '../sessions/fields.ts'
import { typedLocal } from '../sessions/times.ts'
import { whenIn } from '../when.ts'

type Words = Translator<OperatorKey>

const MOST_SHOWN = 40 // of each kind, so that the page stays under 60 KB

/** What a file would change, for the page. */
export function previewView(previewed: Exclude<Previewed, { kind: 'gone' }>, words: Words) {
  const none = { ready: null, rejected: null, some: false, ask: null, mixed: null }
  if (previewed.kind === 'refused')
    return { ...none, rejected: rejectedView(previewed.rejected, words), some: previewed.some }
  if (previewed.kind === 'order') return { ...none, ask: previewed }
  if (previewed.kind === 'mixed') return { ...none, mixed: previewed.example }
  const { added, changed, unchanged, kept, hearers, isMore, past, odd, hash, version, rejected } = previewed
  const nothing = added.length + changed.length === 0
  return {
    ...none,
    ready: {
      ...{ hash, version, nothing },
      leftOut: rejected.length > 0 ? rejectedView(rejected, words) : null,
      sum: words.t('import.sum', { added: added.length, changed: changed.length, unchanged }),
      kept: kept > 0 ? words.t('import.kept', { n: kept }) : null,
      consequence: nothing
        ? null
        : words.t('import.consequence', {
            fresh: hearers.fresh,
            again: hearers.again,
            more: isMore ? 'yes' : 'no',
          }),
      odd: odd && words.t(`import.odd.${odd}`),
      past: past.length > 0 ? { n: past.length, rows: past.slice(0, MOST_SHOWN).map(rowView) } : null,
      added: listed(added.map(rowView)),
      changed: listed(
        changed.map(({ row, fields }) => ({
          ...rowView(row),
          fields: fields.map(({ field, before, after }) => ({
            field: labelOf(words, field),
            before: before === null ? words.t('import.empty') : typedLocal(before),
            after: after === null ? words.t('import.empty') : typedLocal(after),
          })),
        })),
      ),
    },
  }
}

const listed = <Row>(rows: readonly Row[]) =>
  rows.length === 0 ? null : { rows: rows.slice(0, MOST_SHOWN), more: Math.max(0, rows.length - MOST_SHOWN) }

const rowView = ({ session, group }: FileRow) => ({
  name: session.externalId,
  group: group.title,
  therapist: session.therapist,
  start: `${typedLocal(session.startsAtLocal)} ${session.timeZone}`,
})

function rejectedView(rejected: readonly RowError[], words: Words) {
  return {
    n: rejected.length,
    more: Math.max(0, rejected.length - MOST_SHOWN),
    rows: rejected.slice(0, MOST_SHOWN).map(({ line, item, field, message }) => ({
      place:
        line === undefined
          ? item === undefined
            ? null
            : words.t('import.item', { n: item })
          : words.t('import.line', { n: line }),
      text: `${field} ${message}`,
    })),
  }
}

/** The last imports, and whether each may still be taken back. */
export function importRows(
  imports: readonly SessionImport[],
  { timeZone, me }: { timeZone: string; me: string },
  words: Words,
) {
  return imports.map(({ id, createdBy, importedAt, undoneAt, counts, before }) => ({
    id,
    who: createdBy === me ? words.t('import.you') : createdBy.replace(':', ' '),
    when: whenIn(importedAt ?? 0, timeZone, words),
    what: words.t(
      'import.counts',
      JSON.parse(counts ?? '{"added":0,"updated":0}') as { added: number; updated: number },
    ),
    undone: undoneAt !== null,
    canUndo: undoneAt === null && before !== null,
  }))
}
