import { expect, test } from '@jest/globals'
import { aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { groups, knownSessions, sessionHistory, sessions } from '../../db/schema/sessions.ts'
import { bringFileIn, keepFile, previewFile, undoFile } from './by-hand.ts'

const HEADER = 'external_id,group,topic,therapist,starts_at,time_zone,booking_url,seats_left,status,summary'

type Row = {
  id: string
  group?: string
  topic?: string
  day?: number
  left?: number
  status?: string
  summary?: string
}

const line = ({
  id,
  group = id,
  topic = 'anxiety',
  day = 15,
  left = 3,
  status = 'open',
  summary = '',
}: Row) =>
  [
    ...[
      id,
      group,
      topic,
      'Dr. Lee',
      `2026-12-${day}T19:00`,
      'America/New_York',
      `https://book.sample.test/${id}`,
    ],
    ...[left, status, summary],
  ].join()

async function take(app: TestApp, ...rows: Row[]): Promise<number> {
  const kept = await keepFile(app, Buffer.from([HEADER, ...rows.map(line)].join('\n')))
  if (kept.kind !== 'kept') throw new Error(kept.kind)
  const shown = await previewFile(app, kept.id, { order: null, rest: false })
  if (shown.kind !== 'ready') throw new Error(JSON.stringify(shown))
  const { hash, version } = shown
  const done = await bringFileIn(app, kept.id, { hash, version, order: null, rest: false, sure: true })
  expect(done).toMatchObject({ kind: 'done' })
  return kept.id
}

/** What decides who hears of what. */
const newsOf = ({ db }: TestApp) => ({
  sessions: db
    .select()
    .from(sessions)
    .all()
    .map(({ version: _, revision: __, revisedAt: ___, ...row }) => row)
    .sort((a, b) => a.id - b.id),
  history: db
    .select()
    .from(sessionHistory)
    .all()
    .sort((a, b) => a.sessionId - b.sessionId || a.seq - b.seq),
  known: db
    .select()
    .from(knownSessions)
    .all()
    .map(({ sessionId: id, open, lastDate, seq, news }) => ({ id, open, lastDate, seq, news }))
    .sort((a, b) => a.id - b.id),
  groups: db
    .select()
    .from(groups)
    .all()
    .map(({ version: _, ...row }) => row)
    .sort((a, b) => a.id - b.id),
})

test('an import that is undone leaves what readers hear exactly as if it had never been', async () => {
  const app = await testApp()
  aSubscriber(app, 'ann@sample.test')
  const told = ['moved', 'closed', 'opens', 'filled', 'named', 'both', 'topic'].map((id) => ({ id }))
  await take(app, ...told.map(({ id }) => ({ id, status: id === 'opens' ? 'cancelled' : 'open' })))
  await planNow(app)
  await submitOwed(app)
  app.setNow('2026-11-24T15:00:00Z')
  await take(app, { id: 'untold' })
  const before = newsOf(app)
  app.setNow('2026-11-25T15:00:00Z')
  const id = await take(
    app,
    ...[{ id: 'moved', day: 16 }, { id: 'closed', status: 'cancelled' }, { id: 'opens' }],
    ...[
      { id: 'filled', left: 0, status: 'full' },
      { id: 'both', day: 17, status: 'cancelled' },
    ],
    ...[
      { id: 'named', group: 'New name', summary: 'Said' },
      { id: 'topic', topic: 'grief-and-loss' },
    ],
    ...[{ id: 'untold', day: 18 }, { id: 'new' }],
  )
  expect(newsOf(app)).not.toEqual(before)
  expect(await undoFile(app, id)).toBe('undone')
  const after = newsOf(app)
  // The one that was opened is closed again, with a mark above: when it opens, it is news in any case.
  const opens = before.sessions.find(({ externalId }) => externalId === 'opens')?.id
  const ids = new Set(before.sessions.map((row) => row.id).filter((one) => one !== opens))
  const of = <One extends { id: number }>(rows: One[]) => rows.filter((one) => ids.has(one.id))
  const historyOf = ({ history }: typeof after) => history.filter(({ sessionId }) => ids.has(sessionId))
  expect(after.sessions.map((row) => row.id)).toEqual(before.sessions.map((row) => row.id))
  expect(of(after.sessions)).toEqual(of(before.sessions))
  expect(of(after.known)).toEqual(of(before.known))
  expect(historyOf(after)).toEqual(historyOf(before))
  expect(after.groups).toEqual(before.groups)
  const sent = app.resend.accepted.length
  app.setNow('2026-11-30T15:00:00Z')
  await planNow(app)
  await submitOwed(app)
  const [mail, ...others] = app.resend.accepted.slice(sent)
  expect(others).toEqual([])
  expect(mail?.text).toContain('untold')
  for (const one of told) expect(mail?.text).not.toContain(`${one.id}\n`)
})
