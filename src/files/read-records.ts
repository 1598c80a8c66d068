import { open } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { BadInput } from '../core/errors.ts'
import { withoutInvisible } from '../core/text/invisible.ts'

/** The line on which a record of CSV starts, or the number of an item of JSON, both from 1. */
export type Place = { line: number } | { item: number }

/** What a file of records is made of. After something `fatal` nothing else comes. */
export type Entry =
  | { kind: 'header'; line: number; columns: string[] }
  | ({ kind: 'record'; record: Record<string, unknown> } & Place)
  | ({ kind: 'unreadable'; field: string; message: string; fatal: boolean } & Partial<Place>)

/** Opens the file, or `stdin` for `-`. Throws `BadInput` when there is nothing to read. */
export async function openInput(path: string, stdin: Readable): Promise<Readable> {
  if (path === '-') return stdin
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new BadInput(`cannot read ${path} (${error.code}); check the path and who may read it`)
  })
  if ((await file.stat()).isDirectory()) {
    await file.close()
    throw new BadInput(`${path} is a folder; name a CSV or JSON file`)
  }
  return file.createReadStream()
}

/**
 * Reads records out of CSV (RFC 4180, with a header) or JSON (an array of objects, or one object after the other),
 * whichever the first character shows, in UTF-8 or UTF-16, with or without a byte-order mark. Columns may be separated by
 * semicolons or tabs where the header leaves no doubt, or says so in a line `sep=;` as Excel does. Of CSV it holds one
 * record at a time, however long the input is; of JSON all of it, so that may have 64 MB at most. Throws only what reading
 * the input throws.
 */
export async function* readRecords(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Entry> {
  let bytes = 0
  async function* counted() {
    for await (const chunk of input) {
      bytes += Buffer.byteLength(chunk)
      yield chunk
    }
  }
  try {
    const text = decoded(counted())
    const beginning = await beginningOf(text)
    if (/^\s*[[{]/.test(beginning)) yield* jsonRecords(chain(beginning, text), () => bytes)
    else yield* csvRecords(beginning, text)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    yield fatal(error.place, error.message)
  }
}

/** A record this long is a mistake, most often a quotation mark that nothing closes; it also bounds the memory. */
const LONGEST_RECORD = 100_000

const MOST_JSON_MB = 64

class Unreadable extends Error {
  place: Partial<Place>
  constructor(place: Partial<Place>, message: string) {
    super(message)
    this.place = place
  }
}

function fatal(place: Partial<Place>, message: string): Entry {
  return { kind: 'unreadable', ...place, field: 'file', message, fatal: true }
}

/** Text with `\n` line ends only: csv-parse counts a quoted `\r\n` as two lines. */
async function* decoded(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let line = 1
  let heldReturn = ''
  for await (const bytes of withWholeMark(input)) {
    decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true })
    const text = heldReturn + decodeOrThrow(decoder, bytes, line)
    heldReturn = text.endsWith('\r') ? '\r' : ''
    const clean = text.slice(0, text.length - heldReturn.length).replace(/\r\n?/g, '\n')
    line += newlinesIn(clean)
    if (clean !== '') yield clean
  }
  if (decoder) yield decodeOrThrow(decoder, undefined, line) + (heldReturn && '\n')
}

const MARK_BYTES = 4

/** The bytes of the input, the first chunk long enough to tell the encoding from. */
async function* withWholeMark(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let first: Buffer | null = Buffer.alloc(0)
  for await (const chunk of input) {
    const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (first === null) {
      yield bytes
      continue
    }
    first = Buffer.concat([first, bytes])
    if (first.length < MARK_BYTES) continue
    yield first
    first = null
  }
  if (first !== null) yield first
}

/** What Excel calls "Unicode text" is UTF-16. Without a mark, a first letter of ASCII shows which half comes first. */
function encodingOf([first, second, third, fourth]: Uint8Array): string {
  if (first === 0x50 && second === 0x4b && third === 3 && fourth === 4)
    throw new Unreadable(
      { line: 1 },
      'is a workbook or another packed file, not text; export the table as "CSV UTF-8"',
    )
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be'
  return 'utf-8'
}

function decodeOrThrow(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array | undefined,
  line: number,
): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined })
  } catch {
    const text = new TextDecoder().decode(bytes)
    // Not found: the chunk before ended in the bad bytes.
    const readable = text.slice(0, Math.max(0, text.indexOf('\ufffd')))
    throw new Unreadable({ line: line + newlinesIn(readable) }, 'is not UTF-8 text; save it as "CSV UTF-8"')
  }
}

/** Up to the end of the first line that is not blank, if it comes within the length of a record. */
async function beginningOf(text: AsyncGenerator<string>): Promise<string> {
  let beginning = ''
  for (let next = await text.next(); !next.done; next = await text.next()) {
    beginning += next.value
    if (beginning.length > LONGEST_RECORD || beginning.trimStart().includes('\n')) break
  }
  return beginning
}

async function* chain(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first
  yield* rest
}

const SEPARATORS = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'bars' } as const
type Separator = keyof typeof SEPARATORS

/** Excel's own line, which it writes and reads but does not show: `sep=;`, with a separator per column behind it or not. */
const SEPARATOR_LINE = /^(\s*)"?sep=([^\n])"?[,;\t|]*[^\S\n]*(?=\n|$)/i

/** How the columns are separated: by what the file says, or by the one sign that its header has. */
function separatorOf(beginning: string): { separator: Separator; text: string } {
  const said = SEPARATOR_LINE.exec(beginning)
  if (said) {
    const [line, blank = '', sign = ''] = said
    if (!Object.hasOwn(SEPARATORS, sign))
      throw new Unreadable(
        { line: 1 },
        'names a separator that is not known; separate the columns with commas',
      )
    return { separator: sign as Separator, text: blank + beginning.slice(line.length) }
  }
  const header = beginning.trimStart().split('\n', 1)[0] ?? ''
  const bare = header.replace(/"[^"]*"/g, '')
  const signs = (Object.keys(SEPARATORS) as Separator[]).filter((sign) => bare.includes(sign))
  return { separator: signs.length === 1 && signs[0] ? signs[0] : ',', text: beginning }
}

async function* csvRecords(beginning: string, rest: AsyncIterable<string>): AsyncGenerator<Entry> {
  const { separator, text } = separatorOf(beginning)
  let lastLine = 0
  const parser = parse({
    // The parser may be far ahead of what it has yielded when it meets an error, so lines are counted here;
    // each row comes with its own in front.
    on_record: (cells, { lines }) => {
      lastLine = lines
      return [String(lines - newlinesIn(cells.join(''))), ...cells]
    },
    delimiter: separator,
    relax_column_count: true,
    record_delimiter: '\n',
    max_record_size: LONGEST_RECORD,
  })
  const rows = pipeline(Readable.from(chain(text, rest)), parser, () => {}) as AsyncIterable<string[]>
  let columns: string[] | null = null
  try {
    for await (const [startLine, ...cells] of rows) {
      const line = Number(startLine)
      // Spreadsheets leave rows of commas behind.
      if (cells.every(isBlank)) continue
      if (columns === null) {
        columns = withoutBlankEnd(cells, 0).map(columnName)
        yield { kind: 'header', line, columns }
      } else yield csvRecord(columns, withoutBlankEnd(cells, columns.length), line, separator)
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw csvProblem(error, lastLine + 1)
  }
  if (columns === null) yield fatal({ line: 1 }, 'is empty; its first line must name the columns')
}

const isBlank = (cell: string): boolean => withoutInvisible(cell).trim() === ''

/** `External ID` as it may be written by hand is `external_id`. */
const columnName = (cell: string): string =>
  withoutInvisible(cell)
    .trim()
    .toLowerCase()
    .replace(/[ \u00a0-]+/g, '_')

/** The cells without the blank ones that a spreadsheet puts behind the last column; `least` of them stay. */
function withoutBlankEnd(cells: readonly string[], least: number): string[] {
  const last = cells.findLastIndex((cell) => !isBlank(cell))
  return cells.slice(0, Math.max(least, last + 1))
}

function csvRecord(
  columns: readonly string[],
  cells: readonly string[],
  line: number,
  separator: Separator,
): Entry {
  if (cells.length !== columns.length) {
    const message = `has ${cells.length} fields, the header has ${columns.length}; put quotation marks around text with ${SEPARATORS[separator]}`
    return { kind: 'unreadable', line, field: 'row', message, fatal: false }
  }
  const record = Object.fromEntries(columns.map((column, index) => [column, cells[index]]))
  return { kind: 'record', line, record }
}

function csvProblem(error: CsvError, startLine: number): Unreadable {
  const start = { line: startLine }
  if (error.code === 'CSV_QUOTE_NOT_CLOSED')
    return new Unreadable(start, 'has a quotation mark from here on that nothing closes; close it')
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return new Unreadable(
      start,
      `has a row longer than ${LONGEST_RECORD} characters from here on; look for a quotation mark that is not closed`,
    )
  const place = typeof error.lines === 'number' ? { line: error.lines } : start
  return new Unreadable(
    place,
    'has a stray quotation mark; quote the whole field and double each mark within',
  )
}

/** All of it at once, which the limit of its size bounds. */
async function* jsonRecords(text: AsyncIterable<string>, size: () => number): AsyncGenerator<Entry> {
  const pieces: string[] = []
  for await (const piece of text) {
    if (size() > MOST_JSON_MB * 1024 ** 2)
      throw new Unreadable(
        {},
        `is JSON of more than ${MOST_JSON_MB} MB; make it a CSV file, which may have any length`,
      )
    pieces.push(piece)
  }
  let item = 0
  for (const value of itemsOf(pieces.join(''))) {
    item += 1
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Unreadable({ item }, 'has something here that is not an object; write {"column": "value"}')
    if (jsonLength(value) > LONGEST_RECORD)
      throw new Unreadable({ item }, `has an item longer than ${LONGEST_RECORD} characters here`)
    yield { kind: 'record', item, record: value as Record<string, unknown> }
  }
}

/** Of a list, of an object alone, or of one object on each line, as in NDJSON. */
function* itemsOf(text: string): Generator {
  if (!startsWithWholeObject(text)) {
    const value = parseJson(text, 1)
    if (Array.isArray(value)) yield* value
    else yield value
    return
  }
  let line = 0
  for (const one of text.split('\n')) {
    line += 1
    if (one.trim() !== '') yield parseJson(one, line)
  }
}

function startsWithWholeObject(text: string): boolean {
  const [first = ''] = text.trimStart().split('\n', 1)
  if (!first.startsWith('{')) return false
  try {
    JSON.parse(first)
    return true
  } catch {
    return false
  }
}

/** Of what V8 says, only the position is used: the rest may quote the file, which may hold addresses. */
function parseJson(text: string, firstLine: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw jsonProblem((error as Error).message, text, firstLine)
  }
}

function jsonProblem(message: string, text: string, firstLine: number): Unreadable {
  const [, position] = /JSON at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message) ?? []
  const isCut = message === 'Unexpected end of JSON input' || text.slice(Number(position)).trim() === ''
  if (position === undefined && !isCut) {
    const place = text.includes('\n') ? {} : { line: firstLine }
    return new Unreadable(place, 'is not JSON; check the commas and quotes')
  }
  const before = text.slice(0, isCut ? text.length : Number(position))
  const line = firstLine + newlinesIn(before)
  if (isCut) return new Unreadable({ line }, 'ends in the middle; is it complete?')
  const column = before.length - before.lastIndexOf('\n')
  return new Unreadable({ line }, `is not JSON at column ${column}; check the commas and quotes`)
}

function jsonLength(value: object): number {
  try {
    return JSON.stringify(value).length
  } catch {
    return Number.POSITIVE_INFINITY // nested too deep
  }
}

function newlinesIn(text: string): number {
  return text.split('\n').length - 1
}
