import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  aSession,
  aSubscriber,
  oneReaderPerBatch,
  planNow,
  recountTally,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../test/app.ts'
import { claimBatch } from '../../db/ledger/batch-claims.ts'
import { owedBatches } from '../../db/ledger/batches.ts'
import { allEditions, findEdition, tallyOf } from '../../db/ledger/editions.ts'
import type { Store } from '../../db/store.ts'
import { sweep } from '../../recurring.ts'
import { explain } from './explain.ts'
import { planEdition } from './plan.ts'
import { type ResendRequest, resendEdition } from './resend.ts'
import { summaryOf } from './show.ts'
import { openSubmitter } from './submit.ts'

const [A, B] = ['2026-11-23', '2026-11-30']
const FAILED = { kind: 'failed' } as const

test('a resend is refused, naming the edition, while a later edition may have shown the same', async () => {
  const app = await failedForAda()
  app.resend.inject({ kind: 'reset-after-accept' })
  await nextEdition(app)
  expect(await resendEdition(app, A, FAILED)).toEqual({
    kind: 'refused',
    reason: expect.stringContaining(`edition ${B} may already have shown them the same news`),
  })
  later(app, 20)
  await submitOwed(app)
  expect(toldAda(app)).toEqual(['A'])
  expect(await resendEdition(app, A, FAILED)).toMatchObject({ kind: 'refused' })
})

test('a resend is refused while a later edition with the same news has not been submitted', async () => {
  const app = await failedForAda()
  app.setNow('2026-11-30T15:00:00Z')
  await planNow(app)
  expect(await resendEdition(app, A, FAILED)).toEqual({
    kind: 'refused',
    reason: `edition ${B} is planned and shows them the same news`,
  })
  await submitOwed(app)
  expect(toldAda(app)).toEqual(['A'])
})

test('a resend is refused if it is unknown whether a later edition showed the same', async () => {
  const app = await failedForAda()
  app.resend.inject({ kind: 'reset-after-accept' })
  await nextEdition(app)
  later(app, 24 * 60)
  await sweep(app)
  expect(await tallyOf(app.store, B)).toMatchObject({ unknown: 1 })
  expect(await resendEdition(app, A, FAILED)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining(`edition show ${B}`),
  })
  expect(await resendEdition(app, B, { kind: 'unknown' })).toMatchObject({ kind: 'planned' })
})

test('a resend leaves out readers who get the news in a later edition, and reaches the others', async () => {
  const app = await failedForAda()
  // Bela failed too, and gets no later edition so far.
  app.db.$client.exec("update deliveries set state = 'failed', reason = 'mailbox on fire'")
  recountTally(app)
  app.db.$client.exec('update subscribers set seen_through = 0')
  app.db.$client.exec("update subscribers set paused_until = 1795500000000 where email like 'bela%'")
  app.setNow('2026-11-23T16:00:00Z')
  await planEdition(app, { editionId: '2026-11-24', at: app.now() })
  app.db.$client.exec('update subscribers set paused_until = null')
  expect(await resendEdition(app, A, FAILED)).toEqual({
    kind: 'planned',
    generation: 1,
    recipients: 1,
    excluded: { superseded: 1 },
  })
  await submitOwed(app)
  expect(toldAda(app)).toEqual(['A'])
  expect(await explain(app, 'ada@sample.test', A)).toMatchObject({
    generations: [{ state: 'failed' }, { state: 'excluded', reason: 'superseded' }],
  })
})

test('a later edition waits for a resend in doubt, says so, and then leaves out what the resend showed', async () => {
  const app = await failedForAda()
  app.resend.inject({ kind: 'reset-after-accept' })
  await resendEdition(app, A, FAILED)
  await submitOwed(app)
  const since = app.now().toISOString()
  later(app, 1 / 60)
  aSession(app, { group: 'Second Wind', bookingUrl: 'https://book.harbor.test/B' })
  await planEdition(app, { editionId: '2026-11-24', at: app.now() })
  await oneReaderPerBatch(app)
  await submitOwed(app)
  expect(app.resend.countByAddress().get('bela@sample.test')).toBe(2)
  expect(toldAda(app)).toEqual(['A'])

  const waitsFor = [{ edition: A, generation: 1, since, batches: 1, recipients: 1 }]
  expect(await summaryOf(app, '2026-11-24')).toMatchObject({ waiting: 1, waitsFor })
  expect(await summaryOf(app, A)).not.toHaveProperty('waitsFor')
  expect((await explain(app, 'ada@sample.test', '2026-11-24'))?.sentence).toContain(
    `because resend #1 of edition ${A} may have reached readers in it`,
  )
  await sweep(app)
  expect(app.logged()).toContain('batches wait until it is known')

  later(app, 20)
  await submitOwed(app)
  await submitOwed(app)
  expect(toldAda(app)).toEqual(['A', 'B'])
  expect(await summaryOf(app, '2026-11-24')).toMatchObject({ state: 'submitted', waiting: 0 })
})

test('a resend to one reader waits for a later edition in doubt, then goes out', async () => {
  const app = await failedForAda()
  app.resend.inject({ kind: 'reset-before' })
  await nextEdition(app)
  const request = { kind: 'to', email: 'ada@sample.test' } as const
  expect(await resendEdition(app, A, request)).toMatchObject({ kind: 'planned' })
  expect(await submitOwed(app)).toEqual([])
  expect(await summaryOf(app, A)).toMatchObject({ waitsFor: [{ edition: B, batches: 1 }] })
  later(app, 20)
  await submitOwed(app)
  expect(toldAda(app)).toEqual(['A'])
  await submitOwed(app)
  expect(toldAda(app)).toEqual(['A', 'A'])
})

test('of two emails to one reader, only the first one claimed is in progress, whichever is older', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const app = await failedForAda()
    app.setNow('2026-11-30T15:00:00Z')
    await planNow(app)
    await resendEdition(app, A, { kind: 'to', email: 'ada@sample.test' })
    const both = (await owedBatches(app.store, app.now(), 10)).map(({ id }) => id)
    const [first = 0, second = 0] = order.map((place) => both[place])
    await claimBatch(app.store, first, { by: 'elsewhere', at: app.now(), gone: null })
    expect((await owedBatches(app.store, app.now(), 10)).map(({ id }) => id)).not.toContain(second)
    expect(await openSubmitter(app).submit(second)).toEqual({ kind: 'not-ours' })
    later(app, 2) // the lease has run out, and nothing was attempted under it
    expect(await openSubmitter(app).submit(second)).toMatchObject({ kind: 'submitted' })
  }
})

test('a process that slept between its look and its claim looks again, as an email may have gone out since', async () => {
  const app = await failedForAda()
  await resendEdition(app, A, FAILED)
  const [batch] = await owedBatches(app.store, app.now(), 1)
  let isAwake = false
  const sleeper: Store = {
    ...app.store,
    write(work, options) {
      // Another edition reaches her, from its claim to its record.
      if (!isAwake) app.db.$client.exec('update subscribers set seen_through = 1000')
      isAwake = true
      return app.store.write(work, options)
    },
  }
  const submitter = openSubmitter({ ...app, store: sleeper })
  expect(await submitter.submit(batch?.id ?? 0)).toEqual({ kind: 'closed', reason: 'nobody-left' })
  expect(toldAda(app)).toEqual([])
  expect(await summaryOf(app, A)).toMatchObject({ state: 'submitted', waiting: 0 })
})

type Fault = 'none' | 'reset-after-accept' | 'reset-before' | 'refused'
type Step =
  | { do: 'session' | 'edition' }
  | { do: 'submit'; faults: Fault[]; order: number }
  | { do: 'wait'; minutes: number }
  | { do: 'resend'; edition: number; request: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('session' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('edition' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      faults: fc.array(
        fc.constantFrom<Fault>('none', 'reset-after-accept', 'reset-before', 'refused', 'none'),
        { minLength: 1, maxLength: 4 },
      ),
      order: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 10, 24 * 60) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('resend' as const), edition: fc.nat(3), request: fc.nat(4) }),
  },
)
const REQUESTS: ResendRequest[] = [
  { kind: 'failed' },
  { kind: 'failed' },
  { kind: 'unknown' },
  { kind: 'all' },
  { kind: 'to', email: 'reader-1@sample.test' },
]

// An email that is `unknown` for good may have been accepted: the next edition shows its news again, as the operating
// guide says, and so does an operator's `--unknown`.
test('no history of doubts, resends and later editions shows a session twice unasked, or forgets one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), async (steps) => {
      const world = await openWorld()
      await world.take({ do: 'session' })
      await world.take({ do: 'edition' })
      for (const one of steps) await world.take(one)
      await world.settle()
      await world.take({ do: 'session' })
      await world.take({ do: 'edition' })
      await world.settle()
      expect(world.toldTwice()).toEqual([])
      expect(world.forgotten()).toEqual([])
    }),
    { numRuns: 30, endOnFailure: true, interruptAfterTimeLimit: 15_000 },
  )
})

async function openWorld() {
  let refusing = false
  const app = await testApp({ resend: { refuseAddress: () => (refusing ? 'mailbox on fire' : null) } })
  const readers = [1, 2, 3].map((n) => `reader-${n}@sample.test`)
  for (const reader of readers) aSubscriber(app, reader)
  const requests = new Map<string, ResendRequest['kind']>()
  let sessions = 0

  async function submit(faults: readonly Fault[], order: number): Promise<void> {
    const owed = await owedBatches(app.store, app.now(), 100)
    for (let n = 0; n < owed.length; n += 1) {
      const fault = faults[n % faults.length] ?? 'none'
      refusing = fault === 'refused'
      if (fault === 'reset-after-accept' || fault === 'reset-before') app.resend.inject({ kind: fault })
      await openSubmitter(app).submit(owed[(n + order) % owed.length]?.id ?? 0)
      app.resend.clearFaults()
    }
    refusing = false
  }

  async function take(one: Step): Promise<void> {
    if (one.do === 'session') {
      sessions += 1
      const bookingUrl = `https://book.harbor.test/${sessions}`
      aSession(app, { bookingUrl, startsAtLocal: '2027-06-01T19:00' })
    }
    if (one.do === 'edition') {
      const count = (await allEditions(app.store)).length
      const editionId = new Date(Date.parse('2026-11-23') + count * 86_400_000).toISOString().slice(0, 10)
      await planEdition(app, { editionId, at: app.now() })
      await oneReaderPerBatch(app)
    }
    if (one.do === 'submit') await submit(one.faults, one.order)
    if (one.do === 'wait') {
      later(app, one.minutes)
      await sweep(app)
    }
    if (one.do === 'resend') await resend(one)
  }

  async function resend({ edition, request: number }: Extract<Step, { do: 'resend' }>): Promise<void> {
    const all = await allEditions(app.store)
    const { id = '' } = all[edition % all.length] ?? {}
    const request = REQUESTS[number] ?? FAILED
    const outcome = await resendEdition(app, id, request)
    if (outcome.kind === 'planned') requests.set(`${id}/g${outcome.generation}`, request.kind)
    await oneReaderPerBatch(app)
  }

  /** Every email, in the order of acceptance, by reader and session. */
  function showings() {
    return app.resend.accepted.flatMap(({ to, text, key }) =>
      [...text.matchAll(/book\.harbor\.test\/(\d+)/g)].map(([, session]) => ({
        what: `${to[0]} ${session}`,
        issue: key?.split('/').slice(2, 4).join('/') ?? '',
        to: to[0] ?? '',
      })),
    )
  }

  const isUnknown = (issue: string, to: string): boolean => {
    const [edition, generation = ''] = issue.split('/')
    const state = app.db.$client
      .prepare(
        `select d.state from deliveries d join subscribers s on s.id = d.subscriber_id
         where d.edition_id = ? and d.generation = ? and s.email = ?`,
      )
      .pluck()
      .get(edition, generation.slice(1), to)
    return state === 'unknown'
  }

  return {
    take,
    /** The provider answers from now on, until nothing is owed. */
    async settle(): Promise<void> {
      for (let round = 0; round < 8; round += 1) {
        await submit(['none'], 0)
        later(app, 10)
      }
      await sweep(app)
      for (const { id } of await allEditions(app.store))
        expect(await findEdition(app.store, id)).toMatchObject({ state: 'submitted' })
    },
    /** Shown again though nobody asked for it, and though it was certain that the first had been accepted. */
    toldTwice(): string[] {
      const seen = new Map<string, boolean>()
      const wrong: string[] = []
      for (const { what, issue, to } of showings()) {
        const asked = ['all', 'to'].includes(requests.get(issue) ?? '')
        if (seen.get(what) === true && !asked) wrong.push(`${what} again in ${issue}`)
        seen.set(what, !isUnknown(issue, to))
      }
      return wrong
    },
    forgotten(): string[] {
      const seen = new Set(showings().map(({ what }) => what))
      const due = readers.flatMap((reader) =>
        Array.from({ length: sessions }, (_, n) => `${reader} ${n + 1}`),
      )
      return due.filter((what) => !seen.has(what))
    },
  }
}

/** Edition A failed for Ada, and Bela has it. */
async function failedForAda(): Promise<TestApp> {
  let week = 1
  const refuseAddress = (address: string) =>
    week === 1 && address === 'ada@sample.test' ? 'mailbox on fire' : null
  const app = await testApp({ resend: { refuseAddress } })
  aSession(app, { bookingUrl: 'https://book.harbor.test/A' })
  aSubscriber(app, 'ada@sample.test')
  aSubscriber(app, 'bela@sample.test')
  await planNow(app)
  await submitOwed(app)
  week = 2
  return app
}

async function nextEdition(app: TestApp): Promise<void> {
  app.setNow('2026-11-30T15:00:00Z')
  await planNow(app)
  await submitOwed(app)
}

/** What Ada was shown, in order. */
function toldAda(app: TestApp): string[] {
  return app.resend.accepted
    .filter(({ to }) => to[0] === 'ada@sample.test')
    .flatMap(({ text }) =>
      [...text.matchAll(/book\.harbor\.test\/(\w)/g)].map(([, session]) => session ?? ''),
    )
}

function later(app: TestApp, minutes: number): void {
  app.setNow(new Date(app.now().getTime() + minutes * 60_000).toISOString())
}
