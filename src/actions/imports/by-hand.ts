import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Installation } from '../../app.ts'
import { type Hearers, hearersOf } from '../../core/audience/consequence.ts'
import { columnIn, type DateOrder, dayIn, numberIn, orderOf, startIn } from '../../core/intake/spreadsheet.ts'
import { actorName } from '../../core/operators/actor.ts'
import { seal, unseal } from '../../core/operators/sealed.ts'
import { isBookable } from '../../core/time/occurrences.ts'
import {
  bringIn,
  type Changes,
  changedSince,
  dropImport,
  type FileRow,
  findImport,
  keepImport,
  recentImports,
  rehearseImport,
  type SessionImport,
  type UndoOutcome,
  undoImport,
} from '../../db/imports/by-hand.ts'
import { readersAlike } from '../../db/people/alike.ts'
import { sessionsVersion } from '../../db/sessions/sessions.ts'
import { type Entry, readRecords } from '../../files/read-records.ts'
import { demand } from '../operators/acting.ts'
import { topicsOf } from '../sessions/change.ts'
import { type ChangedRow, changedIn, type Odd, oddIn, overIn } from './changes.ts'
import type { RowError } from './records.ts'
import { importEntries } from './sessions.ts'

type Needs = Pick<Installation, 'actor' | 'store' | 'now' | 'config'>

/** The largest file, in bytes. */
export const LARGEST_FILE = 2 * 1024 * 1024

/** What a file would change, and for whom. `version` and `hash` say of which sessions and which file. */
export type ImportPreview = {
  kind: 'ready'
  hash: string
  version: number
  added: FileRow[]
  changed: ChangedRow[]
  unchanged: number
  /** Sessions that Openseat has and the file has not; they stay. */
  kept: number
  hearers: Hearers
  /** There are more readers than were counted. */
  isMore: boolean
  /** Rows of the file that are wrong, and left out. */
  rejected: RowError[]
  /** Times that are over, so that nobody is shown them. */
  past: FileRow[]
  odd: Odd
}

/** `order`: days and months could be either way around. `mixed`: they are both ways. */
export type Previewed =
  | ImportPreview
  | Refused
  | { kind: 'order'; example: string; monthFirst: string; dayFirst: string }
  | { kind: 'mixed'; example: string }
  | { kind: 'gone' }

/** `some`: the other rows can be brought in without those that are wrong. */
type Refused = { kind: 'refused'; rejected: RowError[]; some: boolean }

/** How a file is meant: `order` of days and months, null = not asked; `rest`: without the rows that are wrong. */
export type Meant = { order: DateOrder | null; rest: boolean }

/** `changed`: so many sessions are not those of the preview any more; 0 = something else of them is not. */
export type BroughtIn =
  | { kind: 'done'; added: number; updated: number }
  | { kind: 'changed'; sessions: number }
  | { kind: 'not-sure' | 'gone' }

/**
 * Keeps an uploaded or pasted file for a preview, encrypted, for a day. A file that is not one of group times is not kept: it
 * may be a list of people.
 */
export async function keepFile(
  app: Needs,
  bytes: Buffer,
): Promise<{ kind: 'kept'; id: number } | { kind: 'empty' | 'too-large' | 'workbook' | 'not-sessions' }> {
  demand(app, 'sessions.edit')
  const { actor, store, now, config } = app
  if (bytes.length > LARGEST_FILE) return { kind: 'too-large' }
  if (bytes.toString('utf8').trim() === '') return { kind: 'empty' }
  // A zip file: .xlsx, .ods and the like.
  if (bytes.subarray(0, 2).toString('latin1') === 'PK') return { kind: 'workbook' }
  if (!(await isOfSessions(bytes))) return { kind: 'not-sessions' }
  const content = seal(config.LINK_SECRET, bytes.toString('base64'))
  const file = { createdBy: actorName(actor), hash: hashOf(bytes), content }
  return { kind: 'kept', id: await keepImport(store, file, now()) }
}

/** What a kept file would change, field by field. Writes nothing. */
export async function previewFile(app: Needs, id: number, { order, rest }: Meant): Promise<Previewed> {
  demand(app, 'sessions.edit')
  const bytes = await bytesOf(app, id)
  if (bytes === null) return { kind: 'gone' }
  const asked = await dateOrder(bytes, order)
  if (asked.kind !== 'order-is') return asked
  const version = await sessionsVersion(app.store)
  const entered = await importEntries(
    app,
    entriesOf(bytes, asked.order),
    { skipInvalid: rest },
    rehearseImport,
  )
  if (entered.kind === 'refused') return { ...entered, some: !rest }
  return previewOf(app, entered.applied, { hash: hashOf(bytes), version, rejected: entered.rejected })
}

/** What someone saw before they said yes; `sure`: also to what is odd. */
export type Agreed = Meant & { hash: string; version: number; sure: boolean }

/** Brings a kept file in, if it and the sessions are still those that were shown. */
export async function bringFileIn(
  app: Needs,
  id: number,
  { hash, version, order, rest, sure }: Agreed,
): Promise<BroughtIn | { kind: 'refused' }> {
  demand(app, 'sessions.edit')
  const bytes = await bytesOf(app, id)
  if (bytes === null || hashOf(bytes) !== hash) return { kind: 'gone' }
  const now = app.now()
  const accepts = (changes: Changes) => {
    if (!sure && oddIn(changedIn(changes), changes.unchanged) !== null) throw new NotSure()
  }
  const apply = async (staging: Parameters<typeof bringIn>[0], { skipInvalid }: { skipInvalid: boolean }) => {
    const changes = await bringIn(staging, { id, version, skipInvalid, accepts }, now)
    return changes ?? { ...NOTHING, overtaken: true }
  }
  const asked = await dateOrder(bytes, order)
  const known = asked.kind === 'order-is' ? asked.order : null
  const entering = importEntries(app, entriesOf(bytes, known), { skipInvalid: rest }, apply)
  const entered = await entering.catch((error: unknown) => {
    if (error instanceof NotSure) return { kind: 'not-sure' as const }
    throw error
  })
  if (entered.kind !== 'entered') return entered
  if ('overtaken' in entered.applied)
    return { kind: 'changed', sessions: await changedSince(app.store, version) }
  return { kind: 'done', added: entered.applied.added, updated: entered.applied.updated }
}

/** Forgets a file that was not brought in. */
export async function forgetFile(app: Needs, id: number): Promise<void> {
  demand(app, 'sessions.edit')
  await dropImport(app.store, id)
}

/** Takes an import back, as long as nothing of it went out and nothing of it was changed since. */
export async function undoFile(app: Needs, id: number): Promise<UndoOutcome> {
  demand(app, 'sessions.edit')
  return undoImport(app.store, id, app.now())
}

/** The last imports by hand, newest first. */
export async function lastImports(app: Needs, most: number): Promise<SessionImport[]> {
  demand(app, 'sessions.see')
  return recentImports(app.store, most)
}

/** Thrown to take an import back. */
class NotSure extends Error {
  override name = 'NotSure'
}

const NOTHING: Changes = {
  ...{ added: 0, updated: 0, unchanged: 0, conflicts: [], contradictions: [], rows: [], dated: [] },
  ...{ kept: 0, lastGroup: 0 },
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url')

const KEPT_MS = 24 * 3_600_000

async function bytesOf({ store, config, now }: Needs, id: number): Promise<Buffer | null> {
  const found = await findImport(store, id)
  if (found?.content == null || found.createdAt < now().getTime() - KEPT_MS) return null
  const content = unseal(config.LINK_SECRET, found.content)
  return content === null ? null : Buffer.from(content, 'base64')
}

/** Whether its columns, or the fields of its first item, are those of group times. A broken file is: its preview says why. */
async function isOfSessions(bytes: Buffer): Promise<boolean> {
  for await (const entry of entriesOf(bytes, null)) {
    if (entry.kind === 'header') return areOfSessions(entry.columns)
    if (entry.kind === 'record') return areOfSessions(Object.keys(entry.record))
  }
  return true
}

const areOfSessions = (columns: readonly string[]): boolean =>
  columns.includes('starts_at') && !columns.includes('email')

type Asked = { kind: 'order-is'; order: DateOrder | null } | Extract<Previewed, { kind: 'order' | 'mixed' }>

async function dateOrder(bytes: Buffer, chosen: DateOrder | null): Promise<Asked> {
  const starts: string[] = []
  for await (const entry of entriesOf(bytes, null)) {
    if (starts.length % 500 === 499) await setImmediate()
    if (entry.kind === 'record' && typeof entry.record.starts_at === 'string')
      starts.push(entry.record.starts_at)
  }
  const found = orderOf(starts)
  if (found.kind === 'none') return { kind: 'order-is', order: null }
  if (found.kind === 'known') return { kind: 'order-is', order: found.order }
  if (found.kind === 'mixed') return { kind: 'mixed', example: found.example }
  if (chosen !== null) return { kind: 'order-is', order: chosen }
  const { example } = found
  return {
    ...{ kind: 'order', example },
    monthFirst: dayIn(example, 'month-first'),
    dayFirst: dayIn(example, 'day-first'),
  }
}

/** The entries of a file as a spreadsheet saved it: its own names for columns, and dates in this order. */
async function* entriesOf(bytes: Buffer, order: DateOrder | null): AsyncGenerator<Entry> {
  for await (const entry of readRecords(chunksOf(readable(bytes)))) {
    if (entry.kind === 'header') yield { ...entry, columns: entry.columns.map(columnIn) }
    else if (entry.kind === 'record') yield { ...entry, record: recordIn(entry.record, order) }
    else yield entry
  }
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** Excel saves CSV in the encoding of Windows where it is not asked for UTF-8. */
function readable(bytes: Buffer): Buffer {
  const hasMark = bytes[0] === 0xff || bytes[0] === 0xfe
  if (hasMark || bytes.includes(0)) return bytes
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return bytes
  } catch {
    return Buffer.from(new TextDecoder('windows-1252').decode(bytes))
  }
}

function recordIn(
  record: Readonly<Record<string, unknown>>,
  order: DateOrder | null,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, cell]) => {
      const column = columnIn(name)
      if (typeof cell !== 'string') return [column, cell]
      if (column === 'starts_at' && order !== null) return [column, startIn(cell, order)]
      return [column, column.startsWith('seats_') || column === 'duration_minutes' ? numberIn(cell) : cell]
    }),
  )
}

async function previewOf(
  app: Needs,
  changes: Changes,
  of: { hash: string; version: number; rejected: RowError[] },
): Promise<ImportPreview> {
  const now = app.now()
  const { rows, unchanged, dated, kept } = changes
  const bookable = dated.filter((session) => isBookable(session, now))
  const { readers, more } = await readersAlike(app.store, topicsOf(bookable))
  const changed = changedIn(changes)
  return {
    ...{ kind: 'ready', ...of, changed, unchanged, kept },
    added: rows.filter(({ before }) => before === null).map(({ after }) => after),
    hearers: hearersOf(bookable, readers),
    isMore: more,
    past: overIn(changes, now),
    odd: oddIn(changed, unchanged),
  }
}
