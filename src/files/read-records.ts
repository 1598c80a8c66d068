import { open } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { BadInput } from '../core/errors.ts'
import { withoutInvisible } from '../core/text/invisible.ts'

/** The line where a CSV record starts, or the number of a JSON item; both from 1. */
export type Place = { line: number } | { item: number }

/** One part of a file of records. Nothing follows a `fatal` one. */
export type Entry =
  | { kind: 'header'; line: number; columns: string[] }
  | ({ kind: 'record'; record: Record<string, unknown> } & Place)
  | ({ kind: 'unreadable'; field: string; message: string; fatal: boolean } & Partial<Place>)

/** Opens the file, or `stdin` for `-`. Throws `BadInput` if there is nothing to read. */
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
 * Reads records from CSV (RFC 4180, with a header) or JSON (a list of objects, or objects one after the other). The first character
 * decides which. The encoding is UTF-8 or UTF-16, with or without a byte-order mark. Columns may be separated by semicolons or
 * tabs, if the header leaves no doubt or a line `sep=;`, as Excel writes it, says so. Keeps one CSV record in memory at a
 * time, but all of a JSON file, which may have at most 64 MB. Throws only what reading the input throws.
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

/** A record this long is an error, usually an unclosed quotation mark. It also limits the memory. */
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

/** Text with only `\n` line endings, because csv-parse counts a quoted `\r\n` as two lines. */
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

/** The bytes of the input, with a first chunk that is long enough to detect the encoding. */
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

/** Excel's "Unicode text" is UTF-16. Without a byte-order mark, an ASCII first letter shows the byte order. */
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
    // Not found: the chunk before ended with the bad bytes.
    const readable = text.slice(0, Math.max(0, text.indexOf('\ufffd')))
    throw new Unreadable({ line: line + newlinesIn(readable) }, 'is not UTF-8 text; save it as "CSV UTF-8"')
  }
}

/** The text up to the end of the first line that is not blank, if that is within the length of a record. */
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

/** Excel's own line, which it does not show: `sep=;`, possibly followed by a separator per column. */
const SEPARATOR_LINE = /^(\s*)"?sep=([^\n])"?[,;\t|]*[^\S\n]*(?=\n|$)/i

/** The separator of the columns: the one that the file names, or the only one in its header. */
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
    // At an error, the parser may be far ahead of the rows it has yielded, so lines are counted here. Each row starts with
    // its line number.
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
      // Spreadsheets leave rows of commas at the end.
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

/** `External ID`, as people may write it, is `external_id`. */
const columnName = (cell: string): string =>
  withoutInvisible(cell)
    .trim()
    .toLowerCase()
    .replace(/[ \u00a0-]+/g, '_')

/** The cells without the blank ones that a spreadsheet adds after the last column; at least `least` stay. */
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

/** The whole input, up to the size limit. */
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

/** Between two objects that follow each other: inside an object or a list there would be a comma. */
const NEXT_OBJECT = /(?<=\})(\s*\n\s*)(?=\{)/

/** The items of a list, or of objects one after the other, each on a line of its own (NDJSON) or on several. */
function* itemsOf(text: string): Generator {
  if (!text.trimStart().startsWith('{')) {
    const value = parseJson(text, 1)
    if (Array.isArray(value)) yield* value
    else yield value
    return
  }
  let line = 1
  for (const part of text.split(NEXT_OBJECT)) {
    if (part.trim() !== '') yield parseJson(part, line)
    line += newlinesIn(part)
  }
}

/** Uses only the position in V8's message. The rest may quote the file, which may contain addresses. */
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
