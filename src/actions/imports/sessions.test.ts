import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { dbOf } from '../../../test/db.ts'
import { allSessions } from '../../db/sessions/sessions.ts'
import { openSqlite } from '../../db/sqlite/open.ts'
import { importSessions, previewSessionsFile } from './sessions.ts'

const HEADER =
  'external_id,group,topic,therapist,starts_at,time_zone,booking_url,seats_total,seats_left,status'

type Fields = {
  id?: string
  topic?: string
  starts?: string
  zone?: string
  left?: string
  status?: string
  who?: string
}

function row({
  id = 'a',
  topic = 'anxiety',
  starts = '2026-12-01T19:00',
  zone,
  left = '3',
  status,
  who,
}: Fields) {
  const link = `https://book.sample.test/${id}`
  return [
    id,
    '"Calm, together"',
    topic,
    who ?? 'Dr. Lee',
    starts,
    zone ?? 'America/New_York',
    link,
    8,
    left,
    status,
  ].join()
}

function practice() {
  const store = openSqlite(':memory:')
  const now = () => new Date('2026-11-23T15:00:00Z')
  return {
    db: dbOf(store),
    store,
    now,
    take: (file: string, skipInvalid = false, farAhead = false) =>
      importSessions({ store, now }, Readable.from([Buffer.from(file)]), { skipInvalid, farAhead }),
    takeRows: (...rows: Fields[]) =>
      importSessions({ store, now }, Readable.from([`${[HEADER, ...rows.map(row)].join('\n')}\n`]), {
        skipInvalid: false,
      }),
    sessions: () => allSessions(store),
    news: async () => (await allSessions(store)).map(({ externalId, seq, news }) => [externalId, seq, news]),
    leftovers: () =>
      dbOf(store).$client.prepare("select name from temp.sqlite_schema where type = 'table'").all(),
    [Symbol.dispose]: () => store.close(),
  }
}

const report = (added: number, updated: number, unchanged: number) => ({
  kind: 'imported',
  report: { added, updated, unchanged, rejected: [] },
})

test('new sessions are added and numbered as news in the order of the file', async () => {
  using at = practice()
  expect(await at.takeRows({ id: 'a' }, { id: 'b', topic: 'ocd' })).toEqual(report(2, 0, 0))
  expect(await at.sessions()).toMatchObject([
    {
      externalId: 'a',
      group: 'Calm, together',
      topicSlug: 'anxiety',
      seatsLeft: 3,
      status: 'open',
      durationMinutes: 90,
    },
    { externalId: 'b', group: 'Calm, together', topicSlug: 'ocd' },
  ])
  expect(await at.news()).toEqual([
    ['a', 1, 'new'],
    ['b', 2, 'new'],
  ])
  expect(at.leftovers()).toEqual([])
})

test('a preview counts what an import would do, and leaves everything as it was', async () => {
  using at = practice()
  await at.takeRows({ id: 'a' }, { id: 'b' })
  const before = at.db.$client.serialize()
  const file = `${[HEADER, row({ id: 'a', starts: '2026-12-02T19:00' }), row({ id: 'c', topic: 'ocd' }), row({ id: 'b' })].join('\n')}\n`
  const preview = (text: string) => previewSessionsFile(at, Readable.from([text]), { skipInvalid: false })
  expect(await preview(file)).toEqual({
    kind: 'previewed',
    report: {
      ...report(1, 1, 1).report,
      ...{ preview: true, kept: 0, past: [], odd: null },
      changes: [
        {
          ...{ externalId: 'a', group: 'Calm, together' },
          fields: [{ field: 'starts_at', before: '2026-12-01T19:00', after: '2026-12-02T19:00' }],
        },
      ],
    },
  })
  expect(await preview(`${file}${row({ id: 'd', topic: 'x' })}\n`)).toMatchObject({ kind: 'refused' })
  expect(at.db.$client.serialize().equals(before)).toBe(true)
  expect(at.leftovers()).toEqual([])
  expect(await at.take(file)).toEqual(report(1, 1, 1))
})

test('the same file again changes nothing and is no news', async () => {
  using at = practice()
  await at.takeRows({ id: 'a' }, { id: 'b' })
  expect(await at.takeRows({ id: 'a' }, { id: 'b' })).toEqual(report(0, 0, 2))
  expect(await at.news()).toEqual([
    ['a', 1, 'new'],
    ['b', 2, 'new'],
  ])
})

test('a change of seats or therapist is an update but not news; a move or a reopening is news', async () => {
  using at = practice()
  await at.takeRows({ id: 'a' }, { id: 'b', left: '0' }, { id: 'c' }, { id: 'd' })
  const later = [
    { id: 'a', left: '1', who: 'Dr. Ines Roy' },
    { id: 'b', left: '2' },
    { id: 'c', starts: '2026-12-02T19:00' },
  ]
  expect(await at.takeRows(...later, { id: 'd' })).toEqual(report(0, 3, 1))
  const news = new Map((await at.news()).map(([id, ...rest]) => [id, rest]))
  expect(news.get('a')).toEqual([1, 'new'])
  expect(news.get('d')).toEqual([4, 'new'])
  expect(news.get('b')?.[1]).toBe('reopened')
  expect(news.get('c')?.[1]).toBe('moved')
  expect(Math.min(Number(news.get('b')?.[0]), Number(news.get('c')?.[0]))).toBe(5)
})

test('a session that the file no longer names stays as it is', async () => {
  using at = practice()
  await at.takeRows({ id: 'a' }, { id: 'b' })
  expect(await at.takeRows({ id: 'b' })).toEqual(report(0, 0, 1))
  expect(await at.sessions()).toHaveLength(2)
})

test('one bad row refuses the whole file, and every problem is named by line and field', async () => {
  using at = practice()
  const rows = [row({ id: 'a' }), row({ id: 'b', topic: 'anxeity', left: '9' }), row({ id: 'a' }), 'x,y']
  expect(await at.take([HEADER, ...rows].join('\r\n'))).toEqual({
    kind: 'refused',
    report: {
      ...{ added: 0, updated: 0, unchanged: 0 },
      rejected: [
        { line: 3, field: 'topic', message: 'has the unknown topic "anxeity"; did you mean "anxiety"?' },
        { line: 3, field: 'seats_left', message: 'is 9, over seats_total (8); correct one of them' },
        { line: 4, field: 'external_id', message: 'is on line 2 already; keep one of the two rows' },
        { line: 5, field: 'row', message: expect.stringContaining('2 fields') },
      ],
    },
  })
  expect(await at.sessions()).toEqual([])
  expect(at.leftovers()).toEqual([])
})

test('a session may have all of its seats left, also where the file says only how many are left', async () => {
  using at = practice()
  expect(await at.take([HEADER, row({ id: 'a', left: '8' })].join('\n'))).toMatchObject({
    report: { added: 1, rejected: [] },
  })
  await at.take([HEADER, row({ id: 'a', left: '5' })].join('\n'))
  const withoutTotal = (text: string) => text.split(',').toSpliced(-3, 1).join(',')
  const again = [HEADER, row({ id: 'a', left: '8' })].map(withoutTotal).join('\n')
  expect(await at.take(again)).toMatchObject({ report: { updated: 1, rejected: [] } })
})

test('with skipInvalid the good rows go in and the bad ones are reported', async () => {
  using at = practice()
  const file = [HEADER, row({ id: 'a' }), row({ id: 'b', zone: 'Mars/Base' }), row({ id: 'c' })].join('\n')
  expect(await at.take(file, true)).toMatchObject({
    kind: 'imported',
    report: { added: 2, rejected: [{ line: 3, field: 'time_zone' }] },
  })
})

test.each([
  ['an empty file', '', 'file'],
  ['an unknown column', `${HEADER},colour\n${row({})},red\n`, 'colour'],
  ['a column that is there twice', `${HEADER},status\n`, 'status'],
  ['a missing column', 'external_id,group\na,b\n', 'topic'],
  ['no header', row({ id: 'tue-7' }), 'header'],
  ['an open quotation mark', `${HEADER}\n${row({})}\n"b,c\n`, 'file'],
])('%s refuses the file even with skipInvalid', async (_, file, field) => {
  using at = practice()
  const result = await at.take(file, true)
  expect(result.kind).toBe('refused')
  expect(result.report.rejected).toContainEqual(expect.objectContaining({ line: expect.any(Number), field }))
  expect(await at.sessions()).toEqual([])
})

test('a file with nothing but its header imports nothing and is no error', async () => {
  using at = practice()
  expect(await at.take(`${HEADER}\n`)).toEqual(report(0, 0, 0))
  expect(await at.take('[]')).toEqual(report(0, 0, 0))
})

test('JSON goes the same way; problems name the item', async () => {
  using at = practice()
  const item = {
    external_id: 'a',
    group: 'Calm',
    topic: 'ocd',
    therapist: 'Dr. Lee',
    starts_at: '2026-12-01T19:00',
  }
  const rest = {
    time_zone: 'Europe/Berlin',
    booking_url: 'https://book.sample.test/a',
    seats_left: 2,
    status: null,
  }
  expect(await at.take(JSON.stringify([{ ...item, ...rest }]))).toEqual(report(1, 0, 0))
  expect(
    await at.take(
      JSON.stringify([
        { ...item, ...rest },
        { ...item, ...rest, external_id: 'b', seats: 2 },
      ]),
    ),
  ).toMatchObject({
    kind: 'refused',
    report: {
      rejected: [{ item: 2, field: 'seats', message: expect.stringMatching(/^is not a known column/) }],
    },
  })
})

test('in JSON, a row that repeats an earlier one names its item', async () => {
  using at = practice()
  const row = {
    external_id: 'a',
    group: 'Calm',
    topic: 'anxiety',
    therapist: 'Dr. A',
    starts_at: '2027-01-12T19:00',
    time_zone: 'Europe/Berlin',
    booking_url: 'https://book.sample.test/a',
  }
  expect(await at.take(JSON.stringify([row, row]))).toMatchObject({
    kind: 'refused',
    report: {
      rejected: [
        { item: 2, field: 'external_id', message: 'is in item 1 already; keep one of the two rows' },
      ],
    },
  })
})

test('a topic that an operator added is known', async () => {
  using at = practice()
  at.db.$client.exec("insert into topics (slug, name) values ('new-parents', 'New parents')")
  expect(await at.takeRows({ topic: 'new-parents' })).toEqual(report(1, 0, 0))
})

test('if the input ends with an error, nothing is written or left behind', async () => {
  using at = practice()
  async function* breaking() {
    yield `${HEADER}\n${row({})}\n`
    throw new Error('the disk is gone')
  }
  await expect(importSessions(at, breaking(), { skipInvalid: true })).rejects.toThrow('the disk is gone')
  expect(await at.sessions()).toEqual([])
  expect(at.leftovers()).toEqual([])
})

test('20,000 rows go in in one run', async () => {
  using at = practice()
  function* rows() {
    yield `${HEADER}\n`
    for (let n = 0; n < 20_000; n++) yield `${row({ id: `s-${n}` })}\n`
  }
  expect(await importSessions(at, Readable.from(rows()), { skipInvalid: false })).toEqual(
    report(20_000, 0, 0),
  )
})

const ALL =
  'external_id,group,topic,kind,therapist,starts_at,time_zone,duration_minutes,repeats,occurrences,seats_total,seats_left,status,booking_url'
const FEW = 'external_id,group,topic,therapist,starts_at,time_zone,booking_url'
const STORED = {
  ...{ kind: 'skills', durationMinutes: 60, repeats: 'weekly', occurrences: 8, seatsTotal: 8, seatsLeft: 0 },
  status: 'full',
}
const full = `${ALL}\na,Calm,anxiety,skills,Dr. A,2027-01-12T19:00,America/New_York,60,weekly,8,8,0,full,https://b.test/1\n`

test('a column missing from the file changes nothing in a known session, in CSV and JSON', async () => {
  using at = practice()
  await at.take(
    `${full}b,Calm two,anxiety,therapy,Dr. A,2027-01-13T19:00,America/New_York,60,once,,8,3,cancelled,https://b.test/2\n`,
  )
  const few = [
    'a,Calm,anxiety,Dr. A,2027-01-12T19:00,America/New_York,https://b.test/1',
    'b,Calm two,anxiety,Dr. B,2027-01-13T19:00,America/New_York,https://b.test/2',
  ]
  expect(await at.take([FEW, ...few].join('\n'))).toEqual(report(0, 1, 1))
  const kept = [
    { externalId: 'a', ...STORED, seq: 1, news: 'new' },
    {
      externalId: 'b',
      repeats: 'once',
      durationMinutes: 60,
      status: 'cancelled',
      therapist: 'Dr. B',
      seq: 2,
    },
  ]
  expect(await at.sessions()).toMatchObject(kept)
  const items = few.map((line) =>
    Object.fromEntries(line.split(',').map((value, n) => [FEW.split(',')[n], value])),
  )
  expect(await at.take(JSON.stringify(items))).toEqual(report(0, 0, 2))
  expect(await at.sessions()).toMatchObject(kept)
})

test('a new session gets defaults for what the file lacks', async () => {
  using at = practice()
  await at.take(`${FEW}\na,Calm,anxiety,Dr. A,2027-01-12T19:00,America/New_York,https://b.test/1\n`)
  const defaults = {
    kind: 'therapy',
    durationMinutes: 90,
    repeats: 'weekly',
    occurrences: null,
    seatsLeft: null,
  }
  expect(await at.sessions()).toMatchObject([{ ...defaults, status: 'open' }])
})

test('without a status column, new seats reopen a session that had none left', async () => {
  using at = practice()
  await at.take(full)
  const seats = (left: number) =>
    at.take(
      `${FEW},seats_left\na,Calm,anxiety,Dr. A,2027-01-12T19:00,America/New_York,https://b.test/1,${left}\n`,
    )
  await seats(2)
  expect(await at.sessions()).toMatchObject([
    { status: 'open', seatsLeft: 2, seatsTotal: 8, news: 'reopened' },
  ])
  expect(await seats(9)).toMatchObject({
    kind: 'refused',
    report: {
      rejected: [
        { line: 2, field: 'seats_left', message: 'is 9, over the 8 seats on record; add seats_total' },
      ],
    },
  })
  expect(await at.sessions()).toMatchObject([{ seatsLeft: 2 }])
})

test('a start more than two years ahead is refused unless it is confirmed', async () => {
  using at = practice()
  const file = (year: number) => `${HEADER}\n${row({ starts: `${year}-11-24T19:00` })}\n`
  expect(await at.take(file(2072))).toMatchObject({
    kind: 'refused',
    report: {
      rejected: [
        { line: 2, field: 'starts_at', message: expect.stringContaining('more than two years ahead') },
      ],
    },
  })
  expect(await at.take(file(2028), false)).toMatchObject({ kind: 'refused' })
  expect(await at.take(file(2028).replace('-24T', '-23T'))).toEqual(report(1, 0, 0))
  expect(await at.take(file(2072), false, true)).toEqual(report(0, 1, 0))
})

const ABOUT = 'summary,group_url,language,place,price'
const calm = (id: string, about: string) =>
  `${id},Calm,anxiety,Dr. A,2027-01-12T19:00,America/New_York,https://b.test/1,${about}`
const aboutFile = (...rows: string[]) => [`${FEW},${ABOUT}`, ...rows].join('\n')
const CALM = 'For anyone whose worry runs the day.,https://b.test/calm,Spanish,Online,$40 a session'
const TOLD = {
  summary: 'For anyone whose worry runs the day.',
  groupUrl: 'https://b.test/calm',
  language: 'es',
  place: 'Online',
  price: '$40 a session',
}
const untold = { summary: null, groupUrl: null, language: null, place: null, price: null }

test('a file says what readers need to know of a group; in any of its rows, for all of its sessions', async () => {
  using at = practice()
  expect(await at.take(aboutFile(calm('a', ',,,,'), calm('b', CALM)))).toEqual(report(2, 0, 0))
  expect(await at.sessions()).toMatchObject([
    { externalId: 'a', ...TOLD },
    { externalId: 'b', ...TOLD },
  ])
  expect(await at.take(aboutFile(calm('a', CALM), calm('b', CALM)))).toEqual(report(0, 0, 2))
  expect(await at.take(aboutFile(calm('a', CALM.replace('$40', '$45'))))).toEqual(report(0, 1, 0))
  expect(await at.sessions()).toMatchObject([{ price: '$45 a session' }, { price: '$45 a session' }])
})

test('a column about groups that the file lacks changes nothing, and an empty one clears', async () => {
  using at = practice()
  await at.take(aboutFile(calm('a', CALM)))
  const bare = calm('a', '').replace(/,$/, '')
  expect(await at.take([FEW, bare].join('\n'))).toEqual(report(0, 0, 1))
  expect(await at.sessions()).toMatchObject([TOLD])
  expect(await at.take([`${FEW},price,language`, `${bare},,`].join('\n'))).toEqual(report(0, 1, 0))
  expect(await at.sessions()).toMatchObject([{ ...TOLD, price: null, language: null }])
  const items = [{ place: null }, { summary: 'Calmer.' }, {}].map((about, n) => ({
    ...Object.fromEntries(bare.split(',').map((value, column) => [FEW.split(',')[column], value])),
    external_id: ['a', 'b', 'c'][n],
    ...about,
  }))
  expect(await at.take(JSON.stringify(items))).toEqual(report(2, 1, 0))
  const kept = { ...untold, summary: 'Calmer.', groupUrl: TOLD.groupUrl }
  expect(await at.sessions()).toMatchObject([kept, kept, kept])
})

test('rows that contradict each other about their group are refused by name, or left out', async () => {
  using at = practice()
  const file = aboutFile(
    calm('a', ',,,,'),
    calm('b', CALM),
    calm('c', CALM.replace('$40', '$50')),
    calm('d', CALM.replace('Spanish', 'en')),
  )
  const message = 'is not what line 3 says of the group "Calm"; write the same in both, or leave one empty'
  const rejected = [
    { line: 4, field: 'price', message },
    { line: 5, field: 'language', message },
  ]
  expect(await at.take(file)).toMatchObject({ kind: 'refused', report: { added: 0, rejected } })
  expect(await at.sessions()).toEqual([])
  expect(await at.take(file, true)).toEqual({
    kind: 'imported',
    report: { added: 2, updated: 0, unchanged: 0, rejected },
  })
  expect(await at.sessions()).toMatchObject([TOLD, TOLD])
})

test('what a file says of one group is not said of another with its name', async () => {
  using at = practice()
  const skills = calm('b', ',,,,').replace(',anxiety,', ',ocd,')
  await at.take(aboutFile(calm('a', CALM), skills))
  expect(await at.sessions()).toMatchObject([TOLD, untold])
})
