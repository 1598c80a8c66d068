import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { aFolder } from '../../test/folder.ts'
import { BadInput } from '../core/errors.ts'
import { type Entry, openInput, readRecords } from './read-records.ts'

async function read(...chunks: (string | Uint8Array)[]): Promise<Entry[]> {
  return all(readRecords(Readable.from(chunks)))
}

async function all(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const list: Entry[] = []
  for await (const entry of entries) list.push(entry)
  return list
}

const record = (line: number, fields: Record<string, unknown>): Entry => ({
  ...{ kind: 'record', line, record: fields },
})

const jsonItem = (item: number, fields: Record<string, unknown>): Entry => ({
  ...{ kind: 'record', item, record: fields },
})

test('a spreadsheet file with mark, CRLF, quoted commas and line breaks is read, each record with its own line', async () => {
  const file =
    '\ufeffGroup, Therapist \r\n"Calm, together","Dr. ""Bo"" Lee\r\nand Ines"\r\n\r\nOther,=1+1\r\n,\r\n'
  expect(await read(file)).toEqual([
    { kind: 'header', line: 1, columns: ['group', 'therapist'] },
    record(2, { group: 'Calm, together', therapist: 'Dr. "Bo" Lee\nand Ines' }),
    record(5, { group: 'Other', therapist: '=1+1' }),
  ])
})

test('however the bytes are cut into chunks, the same is read', async () => {
  const file = Buffer.from('\ufeffname,group\r\n"José\r\nLind",例え\r\nb,c\r\n')
  const whole = await read(file)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: file.length - 1 }), async (cut) => {
      expect(await read(file.subarray(0, cut), file.subarray(cut))).toEqual(whole)
    }),
  )
})

const sheetFrom = (line: number) => [
  { kind: 'header', line, columns: ['email', 'name', 'topics'] },
  record(line + 1, { email: 'ann@sample.test', name: 'Lind, Ann', topics: 'ocd;anxiety' }),
]
const sheet = sheetFrom(1)

test.each([
  ['commas', 'email,name,topics\nann@sample.test,"Lind, Ann",ocd;anxiety\n'],
  ['semicolons', 'email;name;topics\nann@sample.test;Lind, Ann;"ocd;anxiety"\n'],
  ['tabs', 'email\tname\ttopics\nann@sample.test\tLind, Ann\tocd;anxiety\n'],
  ['bars', 'email|name|topics\nann@sample.test|Lind, Ann|ocd;anxiety\n'],
  ['a quoted header', '"email";"name";"topics"\n"ann@sample.test";"Lind, Ann";"ocd;anxiety"\n'],
  ['carriage returns', 'email,name,topics\rann@sample.test,"Lind, Ann",ocd;anxiety\r'],
  ['trailing commas', 'email,name,topics,,\r\nann@sample.test,"Lind, Ann",ocd;anxiety,,\r\n,,,,\r\n'],
  ['commas behind rows alone', 'email,name,topics\nann@sample.test,"Lind, Ann",ocd;anxiety,,,\n'],
  [
    'blanks and marks in the header',
    '\ufeffEmail\u00a0, \u200bName ,TOPICS\nann@sample.test,"Lind, Ann",ocd;anxiety',
  ],
])('a file with %s is read like any other', async (_, file) => {
  expect(await read(file)).toEqual(sheet)
})

test.each([
  ['sep=,\nemail,name,topics\nann@sample.test,"Lind, Ann",ocd;anxiety\n'],
  ['sep=;\r\nemail;name;topics\r\nann@sample.test;Lind, Ann;"ocd;anxiety"\r\n'],
  ['\ufeff"sep=\t"\nemail\tname\ttopics\nann@sample.test\tLind, Ann\tocd;anxiety\n'],
  ['SEP=,,,\nemail,name,topics\nann@sample.test,"Lind, Ann",ocd;anxiety\n'],
])('%j says how it is separated, and lines are still counted from the first', async (file) => {
  expect(await read(file)).toEqual(sheetFrom(2))
})

test.each(['utf-16le', 'utf-16be'])('what Excel saves as Unicode text is read: %s', async (encoding) => {
  const text = 'email\tname\ttopics\r\nann@sample.test\tLind, Ann\tocd;anxiety\r\n'
  for (const mark of ['\ufeff', '']) {
    const bytes = Buffer.from(mark + text, 'utf16le')
    if (encoding === 'utf-16be') bytes.swap16()
    expect(await read(bytes)).toEqual(sheet)
    expect(await read(...Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(sheet)
  }
})

test('a column may have a name with a blank for the line that joins it', async () => {
  expect((await read('External ID,Time-zone\n1,2\n'))[0]).toMatchObject({
    columns: ['external_id', 'time_zone'],
  })
})

test('where both commas and semicolons are in the header, nothing is guessed', async () => {
  expect((await read('email;name,topics\n1,2\n'))[0]).toMatchObject({ columns: ['email;name', 'topics'] })
})

test('a row with too few or too many fields is named, and reading goes on', async () => {
  const [, short, long, good] = await read('a,b\n1\n1,2,3\n1,2\n')
  expect(short).toMatchObject({ line: 2, message: expect.stringContaining('1 fields, the header has 2') })
  expect(long).toMatchObject({ line: 3, fatal: false })
  expect(good).toEqual(record(4, { a: '1', b: '2' }))
  const [, split] = await read('a;b\n1;2;3\n')
  expect(split).toMatchObject({
    message: expect.stringContaining('quotation marks around text with semicolons'),
  })
})

test.each([
  ['', 1, 'is empty'],
  ['\ufeff\r\n \r\n', 1, 'is empty'],
  ['a,b\n1,"2" 3\n', 2, 'stray quotation mark'],
  ['sep=x\naxb\n', 1, 'names a separator that is not known'],
  ['PK\u0003\u0004 and so on', 1, 'is a workbook'],
  ['a,b\n1,2"3\n', 2, 'stray quotation mark'],
  ['a,b\n1,2\n3,"4\n5,6\n', 3, 'nothing closes'],
  [`a,b\n1,2\n3,"${'x'.repeat(1_000_000)}"\n`, 3, 'longer than 100000'],
  ['[{"a":1},\r\n{"a":2]', 2, 'is not JSON at column 7; check'],
  ['[{"a":1},\n{"a":2}\n', 3, 'ends in the middle'],
  ['[{"a":1},\n{"a":', 2, 'ends in the middle'],
  [`[{"a":${'['.repeat(1_000_000)}`, 1, 'ends in the middle'],
  ['{"a":1}\n\n{"a":2,}', 3, 'is not JSON at column 8; check'],
  ['{"a":1}\n{"a":ann@sample.test}', 2, 'is not JSON; check'],
  ['[{"a":ann@sample.test}]', 1, 'is not JSON; check'],
])('%.30j cannot be read to its end: line %i %s', async (file, line, message) => {
  expect((await read(file)).at(-1)).toEqual({
    ...{ kind: 'unreadable', line, field: 'file', fatal: true },
    message: expect.stringContaining(message),
  })
})

test.each([
  ['[{"a":1},\n"text"]', { item: 2 }, 'not an object'],
  ['[{"a":1},\n[{"a":2}]]', { item: 2 }, 'not an object'],
  [`[{"a":"${'x'.repeat(1_000_000)}"}]`, { item: 1 }, 'longer than 100000'],
  [`{"a":1}\n{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, { item: 2 }, 'longer than 100000'],
  ['[{"a":1},\n{"a":ann@sample.test}]', {}, 'is not JSON; check'],
])('%.30j cannot be read to its end: %j %s', async (file, place, message) => {
  expect((await read(file)).at(-1)).toEqual({
    ...{ kind: 'unreadable', ...place, field: 'file', fatal: true },
    message: expect.stringContaining(message),
  })
})

test('nothing of a JSON file is quoted in what is wrong with it', async () => {
  const text = JSON.stringify([{ email: 'ann@sample.test', name: 'Ann' }, { email: 'bo@sample.test' }])
  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.constantFrom('', '"', 'x', ',', ']', '\\'),
      async (at, sign) => {
        const entries = await read(text.slice(0, at) + sign + text.slice(at + 1))
        for (const entry of entries)
          if (entry.kind === 'unreadable') expect(entry.message).not.toMatch(/ann|bo|sample/i)
      },
    ),
  )
})

test('JSON of more than 64 MB is refused, as it is read whole', async () => {
  function* blanks(megabytes: number) {
    yield '['
    for (let n = 0; n < megabytes; n++) yield ' '.repeat(1024 ** 2)
    yield ']'
  }
  expect(await all(readRecords(Readable.from(blanks(63))))).toEqual([])
  const [refusal, ...rest] = await all(readRecords(Readable.from(blanks(64))))
  expect(refusal).toEqual({
    ...{ kind: 'unreadable', field: 'file', fatal: true },
    message: 'is JSON of more than 64 MB; make it a CSV file, which may have any length',
  })
  expect(rest).toEqual([])
})

test('text that is not UTF-8 is refused with its line, also when the bad byte ends a chunk', async () => {
  const windows1252 = Buffer.from('name\nBo\nJos\xe9\nInes\n', 'latin1')
  const refusal = { line: 3, fatal: true, message: expect.stringContaining('UTF-8') }
  expect((await read(windows1252)).at(-1)).toMatchObject(refusal)
  expect((await read(windows1252.subarray(0, 12), windows1252.subarray(12))).at(-1)).toMatchObject(refusal)
})

test('a JSON list gives each item with its number', async () => {
  expect(
    await read('\ufeff[\n {"a": 1, "b": null},\n {"a": "x",\n  "b": ["y"]}, {"__proto__": {"a": 2}}]\n'),
  ).toEqual([
    jsonItem(1, { a: 1, b: null }),
    jsonItem(2, { a: 'x', b: ['y'] }),
    jsonItem(3, JSON.parse('{"__proto__": {"a": 2}}')),
  ])
  expect(await read('[]')).toEqual([])
})

test('JSON objects one after the other are read too, each on one line or on many', async () => {
  const both = [jsonItem(1, { a: 1 }), jsonItem(2, { a: 2 })]
  expect(await read('{"a":1}\n{"a":', '2}\n')).toEqual(both)
  expect(await read('{\n "a": 1\n}\n')).toEqual([jsonItem(1, { a: 1 })])
  expect(await read('{\n "a": 1\n}\n', '\n{\n "a": 2\n}\n')).toEqual(both)
  expect(await read('{"a": "}\\n{"}\n')).toEqual([jsonItem(1, { a: '}\n{' })])
  expect(await read('{"a": 1}\n{\n "a": 2,\n}\n')).toEqual([
    jsonItem(1, { a: 1 }),
    expect.objectContaining({ kind: 'unreadable', line: 4, fatal: true }),
  ])
})

test('the CSV reader never runs far ahead of the one who takes the records', async () => {
  const wide = 'x'.repeat(500)
  let given = 0
  let taken = 0
  let furthestAhead = 0
  function* rows() {
    yield 'a,b\n'
    for (; given < 4000; given++) yield `${given},${wide}\n`
  }
  for await (const entry of readRecords(Readable.from(rows()))) {
    if (entry.kind === 'record') taken++
    furthestAhead = Math.max(furthestAhead, given - taken)
  }
  expect(taken).toBe(4000)
  expect(furthestAhead).toBeLessThan(4000 / 4)
})

test('a path that cannot be read is named', async () => {
  const folder = aFolder()
  await expect(openInput(join(folder, 'none.csv'), process.stdin)).rejects.toThrow(
    /none\.csv \(ENOENT\); check/,
  )
  await expect(openInput(folder, process.stdin)).rejects.toThrow(BadInput)
  await writeFile(join(folder, 'some.csv'), 'a\n1\n')
  const entries = await all(readRecords(await openInput(join(folder, 'some.csv'), process.stdin)))
  expect(entries).toHaveLength(2)
  expect(await openInput('-', process.stdin)).toBe(process.stdin)
})
