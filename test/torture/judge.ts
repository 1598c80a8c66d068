import Database from 'better-sqlite3'

/** The parts of the ledger that the judge checks. */
export type LedgerView = {
  editions: { id: string; state: string }[]
  deliveries: {
    edition: string
    generation: number
    subscriber: number | null
    email: string | null
    state: string
    reason: string | null
  }[]
  tally: { edition: string; generation: number; state: string; reason: string; count: number }[]
  /** Operators, with how many notices to each were submitted, or may have been. */
  operators: { email: string; submitted: number; unknown: number }[]
}

/** The expected outcome. */
export type Expectation = {
  /** How many people must be accepted, or recorded as failed or unknown. */
  recipients: number
  /** How many deliveries may have other outcomes; all default to 0. */
  unknown?: number
  failed?: number
  excluded?: number
}

export type Verdict = {
  recipients: number
  once: number
  twice: number
  never: number
  unknown: number
  /** What is wrong, one sentence each; empty = passed. They contain no address. */
  problems: string[]
}

/** Reads what the judge needs from a database file that others may be writing to. */
export function readLedger(file: string): LedgerView {
  const db = new Database(file, { timeout: 10_000, fileMustExist: true })
  try {
    return ledgerOf(db)
  } finally {
    db.close()
  }
}

/** The same through an open connection. */
export function ledgerOf(db: Database.Database): LedgerView {
  return db.transaction(() => ({
    editions: db.prepare<[], LedgerView['editions'][number]>('select id, state from editions').all(),
    deliveries: db
      .prepare<[], LedgerView['deliveries'][number]>(
        `select d.edition_id as edition, d.generation, d.subscriber_id as subscriber, s.email, d.state, d.reason
         from deliveries d left join subscribers s on s.id = d.subscriber_id`,
      )
      .all(),
    tally: db
      .prepare<[], LedgerView['tally'][number]>(
        'select edition_id as edition, generation, state, reason, count from edition_tally where count > 0',
      )
      .all(),
    operators: db
      .prepare<[], LedgerView['operators'][number]>(
        `select o.email, (select count(*) from notices n where n.operator_id = o.id and n.state = 'submitted') as submitted,
           (select count(*) from notices n where n.operator_id = o.id and n.state = 'unknown') as unknown
         from operators o`,
      )
      .all(),
  }))()
}

/**
 * Compares what the provider accepted for each address with the ledger, and checks that the ledger is consistent.
 * It looks at nothing else: no log, no queue, no output of the program.
 */
export function judge(
  accepts: ReadonlyMap<string, number>,
  ledger: LedgerView,
  expected: Expectation,
): Verdict {
  const people = byAddress(ledger)
  const verdict: Verdict = { recipients: 0, once: 0, twice: 0, never: 0, unknown: 0, problems: [] }
  for (const [address, person] of people) {
    const accepted = accepts.get(address) ?? 0
    const least = person.submitted.size
    const most = new Set([...person.submitted, ...person.unknown]).size
    if (person.mailable) verdict.recipients += 1
    if (accepted > most) verdict.twice += 1
    else if (accepted < least || person.waiting) verdict.never += 1
    else if (accepted > 0) verdict.once += 1
  }
  // Someone whom planning lost is not in the ledger, but was still never emailed.
  verdict.never += Math.max(0, expected.recipients - verdict.recipients)
  verdict.unknown = ledger.deliveries.filter(({ state }) => state === 'unknown').length
  verdict.problems.push(
    ...problemsOfCounts(verdict, ledger, expected),
    ...strangers(accepts, people, ledger),
    ...problemsOfOperators(accepts, ledger),
    ...problemsOfLedger(ledger),
  )
  return verdict
}

type Person = { submitted: Set<string>; unknown: Set<string>; waiting: boolean; mailable: boolean }

function byAddress(ledger: LedgerView): Map<string, Person> {
  const people = new Map<string, Person>()
  for (const { edition, generation, email, state } of ledger.deliveries) {
    const address = email?.toLowerCase()
    if (address === undefined) continue // erased: nothing links their emails to them anymore
    const person = people.get(address) ?? {
      submitted: new Set<string>(),
      unknown: new Set<string>(),
      waiting: false,
      mailable: false,
    }
    people.set(address, person)
    // A set, because a second row for the same generation does not allow a second email.
    if (state === 'submitted') person.submitted.add(`${edition}/${generation}`)
    if (state === 'unknown') person.unknown.add(`${edition}/${generation}`)
    if (state === 'waiting') person.waiting = true
    if (state !== 'excluded') person.mailable = true
  }
  return people
}

function problemsOfCounts(verdict: Verdict, ledger: LedgerView, expected: Expectation): string[] {
  const count = (state: string) => ledger.deliveries.filter((row) => row.state === state).length
  const problems: string[] = []
  if (verdict.twice > 0) problems.push(`${verdict.twice} mailed more often than the ledger says`)
  if (verdict.never > 0) problems.push(`${verdict.never} never mailed, with no reason in the ledger`)
  if (verdict.recipients > expected.recipients)
    problems.push(`${verdict.recipients} recipients where ${expected.recipients} were to be`)
  for (const state of ['unknown', 'failed', 'excluded'] as const)
    if (count(state) > (expected[state] ?? 0))
      problems.push(`${count(state)} ${state}${reasonsOf(ledger, state)}`)
  return problems
}

function reasonsOf({ deliveries }: LedgerView, state: string): string {
  const reasons = new Set(deliveries.filter((row) => row.state === state).map(({ reason }) => reason))
  return reasons.size === 0 ? '' : ` (${[...reasons].slice(0, 2).join('; ')})`
}

function problemsOfOperators(accepts: ReadonlyMap<string, number>, { operators }: LedgerView): string[] {
  const wrong = operators.filter(({ email, submitted, unknown }) => {
    const accepted = accepts.get(email) ?? 0
    return accepted < submitted || accepted > submitted + unknown
  })
  return wrong.length === 0 ? [] : [`${wrong.length} operators told more or less often than the ledger says`]
}

function strangers(
  accepts: ReadonlyMap<string, number>,
  people: ReadonlyMap<string, Person>,
  { operators }: LedgerView,
): string[] {
  const known = new Set([...people.keys(), ...operators.map(({ email }) => email)])
  const unknown = [...accepts].filter(([address, count]) => count > 0 && !known.has(address)).length
  return unknown === 0 ? [] : [`${unknown} mailed who are not in the ledger`]
}

/** Checks that every ended delivery has a reason, that none exists twice, and that the stored tally equals the counted one. */
function problemsOfLedger({ deliveries, tally }: LedgerView): string[] {
  const problems: string[] = []
  const silent = deliveries.filter(
    ({ state, reason }) => ['failed', 'unknown', 'excluded'].includes(state) && !reason,
  ).length
  if (silent > 0) problems.push(`${silent} failed, unknown or excluded without a reason`)

  const seen = new Set<string>()
  let doubled = 0
  const counted = new Map<string, number>()
  for (const { edition, generation, subscriber, state, reason } of deliveries) {
    const row = `${edition}/${generation}/${subscriber}`
    if (subscriber !== null && seen.has(row)) doubled += 1
    seen.add(row)
    const key = [edition, generation, state, state === 'excluded' ? reason : ''].join('/')
    counted.set(key, (counted.get(key) ?? 0) + 1)
  }
  if (doubled > 0) problems.push(`${doubled} deliveries stand twice in the ledger`)

  const kept = new Map(
    tally.map(({ edition, generation, state, reason, count }) => [
      [edition, generation, state, reason].join('/'),
      count,
    ]),
  )
  const keys = new Set([...counted.keys(), ...kept.keys()])
  const off = [...keys].filter((key) => counted.get(key) !== kept.get(key)).length
  if (off > 0) problems.push(`${off} sums of the ledger are not what its rows come to`)
  return problems
}
