import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isNewsTo } from './news.ts'
import { chooseTopics, effectiveSeen, seenBy, type TopicChoice, type TopicRow } from './seen.ts'

const [ANXIETY, GRIEF, OCD] = [1, 2, 3]
const TOPICS = [ANXIETY, GRIEF, OCD]

test('Mara gets all topics and narrows to anxiety: the seen marks of the others are kept', () => {
  expect(chooseTopics([], 40, TOPICS, new Set([ANXIETY]))).toEqual([
    { topicId: ANXIETY, chosen: true, seenThrough: null },
    { topicId: GRIEF, chosen: false, seenThrough: 40 },
    { topicId: OCD, chosen: false, seenThrough: 40 },
  ])
})

test('a new subscriber with topics has one row for each and nothing else', () => {
  expect(chooseTopics([], 0, TOPICS, new Set([GRIEF]))).toEqual([
    { topicId: GRIEF, chosen: true, seenThrough: null },
  ])
})

test('Jonas, who only ever got grief, adds OCD later and gets all of it', () => {
  const rows = chooseTopics([], 0, TOPICS, new Set([GRIEF]))
  expect(chooseTopics(rows, 70, TOPICS, new Set([GRIEF, OCD]))).toEqual([
    { topicId: GRIEF, chosen: true, seenThrough: null },
    { topicId: OCD, chosen: true, seenThrough: 0 },
  ])
})

test('a topic dropped at 40 and chosen again at 90 continues from 40', () => {
  const dropped = chooseTopics([], 40, TOPICS, new Set([ANXIETY]))
  const again = chooseTopics(dropped, 90, TOPICS, new Set([ANXIETY, OCD]))
  expect(again).toContainEqual({ topicId: OCD, chosen: true, seenThrough: 40 })
  const { topics, seen } = seenBy(90, again)
  expect(isNewsTo({ topicId: OCD, seq: 40 }, topics, seen, 100)).toBe(false)
  expect(isNewsTo({ topicId: OCD, seq: 41 }, topics, seen, 100)).toBe(true)
})

test('going back to every topic keeps the marks that differ and no others', () => {
  const rows = chooseTopics([], 0, TOPICS, new Set([ANXIETY]))
  expect(chooseTopics(rows, 55, TOPICS, 'all')).toEqual([
    { topicId: GRIEF, chosen: false, seenThrough: 0 },
    { topicId: OCD, chosen: false, seenThrough: 0 },
  ])
})

const mark = fc.integer({ min: 0, max: 30 })
const choices = fc.oneof(
  fc.constant<TopicChoice>('all'),
  fc.uniqueArray(fc.constantFrom(...TOPICS)).map((ids): TopicChoice => new Set(ids)),
)
const storedRows = fc.uniqueArray(
  fc.record({
    topicId: fc.constantFrom(...TOPICS),
    chosen: fc.boolean(),
    seenThrough: fc.option(mark, { nil: null }),
  }),
  { selector: (row) => row.topicId },
)

test('whatever the rows are, choosing never changes the seen mark of a topic', () => {
  fc.assert(
    fc.property(storedRows, mark, choices, (rows, general, choice) => {
      const next = chooseTopics(rows, general, TOPICS, choice)
      for (const topicId of TOPICS)
        expect(effectiveSeen(topicId, next, general)).toBe(effectiveSeen(topicId, rows, general))
      expect(seenBy(general, next).topics).toEqual(
        choice === 'all' || choice.size === 0 ? null : new Set(choice),
      )
    }),
  )
})

const steps = fc.array(fc.oneof(fc.constant('mail' as const), choices), { maxLength: 12 })

test('over any sequence of choices and emails, each session of a chosen topic is shown exactly once', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const shown = new Map<string, number>()
      let rows: TopicRow[] = []
      let general = 0
      let seq = 0
      for (const step of [...run, 'all' as const, 'mail' as const]) {
        if (step !== 'mail') {
          rows = chooseTopics(rows, general, TOPICS, step)
          continue
        }
        seq += TOPICS.length
        const { topics, seen } = seenBy(general, rows)
        for (let one = 1; one <= seq; one++) {
          const session = { topicId: TOPICS[one % TOPICS.length] ?? 0, seq: one }
          if (isNewsTo(session, topics, seen, seq)) shown.set(`${one}`, (shown.get(`${one}`) ?? 0) + 1)
        }
        // What recording a submitted email does: the mark moves, and the overrides of its topics are dropped.
        general = seq
        rows = rows
          .filter((row) => topics !== null && (row.chosen || !topics.has(row.topicId)))
          .map((row) => (row.chosen ? { ...row, seenThrough: null } : row))
      }
      expect([...shown.values()].filter((times) => times !== 1)).toEqual([])
      expect(shown.size).toBe(seq)
    }),
  )
})

test('the very first session is news to those whose topic it was moved into', () => {
  const moved = [
    { seq: 1, topicId: OCD, times: 'Mon 9', reopened: 0 },
    { seq: 3, topicId: ANXIETY, times: 'Mon 9', reopened: 0 },
  ]
  const seen = { general: 2, byTopic: new Map<number, number>() }
  const session = { topicId: ANXIETY, seq: 3, addedSeq: 1, history: moved }
  expect(isNewsTo(session, new Set([ANXIETY]), seen, 9)).toBe(true)
  expect(isNewsTo(session, null, seen, 9)).toBe(false)
})
