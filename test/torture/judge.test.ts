import { expect, test } from '@jest/globals'
import { type Expectation, judge, type LedgerView } from './judge.ts'

type Delivery = LedgerView['deliveries'][number]

const EVERYONE: Expectation = { recipients: 3 }

test('three readers, each submitted and each accepted once, pass', () => {
  expect(judge(accepts(1, 1, 1), ledger(), EVERYONE)).toEqual({
    recipients: 3,
    once: 3,
    twice: 0,
    never: 0,
    unknown: 0,
    problems: [],
  })
})

test('detects a second email', () => {
  const { twice, once, problems } = judge(accepts(1, 2, 1), ledger(), EVERYONE)
  expect({ twice, once }).toEqual({ twice: 1, once: 2 })
  expect(problems).toEqual(['1 mailed more often than the ledger says'])
})

test('detects a reader who is recorded as submitted but never was', () => {
  const { never, problems } = judge(accepts(1, 0, 1), ledger(), EVERYONE)
  expect(never).toBe(1)
  expect(problems).toEqual(['1 never mailed, with no reason in the ledger'])
})

test('detects a reader who still waits', () => {
  expect(judge(accepts(1, 0, 1), ledger({ 1: { state: 'waiting' } }), EVERYONE).never).toBe(1)
})

test('detects a reader whom planning lost, although the ledger has no trace of them', () => {
  const two = ledger()
  two.deliveries.pop()
  two.tally = [sum('submitted', 2)]
  const { never, problems } = judge(accepts(1, 1), two, EVERYONE)
  expect(never).toBe(1)
  expect(problems).toEqual(['1 never mailed, with no reason in the ledger'])
})

test('detects an email to someone outside the ledger', () => {
  const counts = new Map([...accepts(1, 1, 1), ['stranger@sample.test', 1]])
  expect(judge(counts, ledger(), EVERYONE).problems).toEqual(['1 mailed who are not in the ledger'])
})

test('detects a reader who is recorded as failed but was accepted', () => {
  const failed = ledger({ 1: { state: 'failed', reason: 'refused' } })
  expect(judge(accepts(1, 1, 1), failed, { recipients: 3, failed: 1 }).twice).toBe(1)
})

test('unknown ones may have been accepted once or not at all, when unknown ones were to be expected', () => {
  const doubtful = ledger({ 1: { state: 'unknown', reason: 'no answer' } })
  for (const count of [0, 1])
    expect(judge(accepts(1, count, 1), doubtful, { recipients: 3, unknown: 1 })).toMatchObject({
      unknown: 1,
      problems: [],
    })
  expect(judge(accepts(1, 2, 1), doubtful, { recipients: 3, unknown: 1 }).twice).toBe(1)
  expect(judge(accepts(1, 1, 1), doubtful, EVERYONE).problems).toEqual(['1 unknown (no answer)'])
})

test('detects a delivery that ended without a reason', () => {
  const silent = ledger({ 1: { state: 'failed' } })
  expect(judge(accepts(1, 0, 1), silent, { recipients: 3, failed: 1 }).problems).toEqual([
    '1 failed, unknown or excluded without a reason',
  ])
})

test('detects a second row for the same issue, which does not permit a second email', () => {
  const doubled = ledger()
  doubled.deliveries.push({ ...(doubled.deliveries[0] as Delivery) })
  doubled.tally = [sum('submitted', 4)]
  const { twice, problems } = judge(accepts(2, 1, 1), doubled, EVERYONE)
  expect(twice).toBe(1)
  expect(problems).toContain('1 deliveries stand twice in the ledger')
})

test('a resend is another issue and permits another email', () => {
  const resent = ledger()
  resent.deliveries.push(...resent.deliveries.map((row) => ({ ...row, generation: 1 })))
  resent.tally.push({ ...sum('submitted', 3), generation: 1 })
  expect(judge(accepts(2, 2, 2), resent, EVERYONE)).toMatchObject({ once: 3, problems: [] })
  expect(judge(accepts(2, 1, 2), resent, EVERYONE).never).toBe(1)
})

test('detects sums that do not match the rows', () => {
  const off = ledger()
  off.tally = [sum('submitted', 2)]
  expect(judge(accepts(1, 1, 1), off, EVERYONE).problems).toEqual([
    '1 sums of the ledger are not what its rows come to',
  ])
})

const address = (n: number): string => `reader-${n}@sample.test`

function accepts(...counts: number[]): Map<string, number> {
  return new Map(counts.map((count, n) => [address(n), count]))
}

test('detects an operator who was told twice, or never', () => {
  const operators = [{ email: 'o@sample.test', submitted: 1, unknown: 0 }]
  const told = (times: number) =>
    judge(new Map([...accepts(1, 1, 1), ['o@sample.test', times]]), { ...ledger(), operators }, EVERYONE)
      .problems
  const problem = '1 operators told more or less often than the ledger says'
  expect([told(1), told(2), told(0)]).toEqual([[], [problem], [problem]])
})

/** Three submitted readers; `changed` returns what is different about the nth. The tally matches. */
function ledger(changed: Record<number, Partial<Delivery>> = {}): LedgerView {
  const deliveries = [0, 1, 2].map((n) => ({
    edition: '2026-11-23',
    generation: 0,
    subscriber: n,
    email: address(n),
    state: 'submitted',
    reason: null,
    ...changed[n],
  }))
  const states = Map.groupBy(deliveries, ({ state }) => state)
  const tally = [...states].map(([state, rows]) => sum(state, rows.length))
  return { editions: [{ id: '2026-11-23', state: 'submitted' }], deliveries, tally, operators: [] }
}

function sum(state: string, count: number): LedgerView['tally'][number] {
  return { edition: '2026-11-23', generation: 0, state, reason: '', count }
}
