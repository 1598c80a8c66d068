import { describe, expect, test } from '@jest/globals'
import { aSession, manySubscribers, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { aDomain, type StandInDomain } from '../../../test/resend/domains.ts'
import { allEditions, offersOfEdition, tallyOf } from '../../db/ledger/editions.ts'
import { findReview } from '../../db/ledger/reviews.ts'
import { owedNotices } from '../../db/people/notices.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { notices } from '../../db/schema/ledger.ts'
import { operators } from '../../db/schema/operators.ts'
import { sessions } from '../../db/schema/sessions.ts'
import { sweep } from '../../recurring.ts'
import { submitNotice } from '../subscribers/notices.ts'
import { approveEdition, comingEdition, holdEdition, sendNow, sendThisWeek } from './coming.ts'
import { summaryOf } from './show.ts'
import { editionsWaiting, recordStart } from './sweep.ts'

const LAST = '2026-11-23T14:00:00Z'
const NEXT = '2026-11-30'
/** A day before the slot, which is Monday, November 30, 9:00 AM in New York; the catch-up ends on Wednesday. */
const [EVE, SLOT, LATER, OVER] = [
  '2026-11-29T14:00:00Z',
  '2026-11-30T14:00:00Z',
  '2026-12-02T13:59:59Z',
  '2026-12-02T14:00:01Z',
] as const

type Office = {
  last?: string
  settings?: Record<string, string>
  links?: Record<string, number>
  operators?: boolean
}

type Opened = TestApp & { asked: string[]; domains: StandInDomain[] }

/** An installation whose last edition went to four people, with an operator and an editor. */
async function anOffice({
  last = LAST,
  settings = {},
  links = {},
  operators: has = true,
}: Office = {}): Promise<Opened> {
  const [asked, domains]: [string[], StandInDomain[]] = [[], [aDomain('mail.harbor.test')]]
  const app = await testApp({
    at: last,
    settings,
    resend: { domains },
    askLinks: async (urls) => {
      asked.push(...urls)
      return Object.fromEntries(urls.map((url) => [url, links[url] ?? 200]))
    },
  })
  await recordStart(app)
  aSession(app)
  manySubscribers(app, 4)
  await planNow(app)
  await submitOwed(app)
  await sweep(app)
  if (has)
    for (const role of ['operator', 'editor'] as const)
      app.db
        .insert(operators)
        .values({ email: `${role}@sample.test`, role, createdAt: 1, passwordHash: 'chosen' })
        .run()
  return Object.assign(app, { asked, domains })
}

/** What the worker does at an instant; `workers` of them at once. */
async function at(app: TestApp, iso: string, workers = 1): Promise<void> {
  app.setNow(iso)
  await Promise.all(Array.from({ length: workers }, () => sweep(app)))
  await sweep(app)
  await submitAll(app)
}

async function submitAll(app: TestApp): Promise<void> {
  const owed = await owedNotices(app.store, app.now(), 100)
  await Promise.all(owed.flatMap(({ id }) => [submitNotice(app, id), submitNotice(app, id)]))
  await submitOwed(app)
}

/** Subjects of the emails to the operator. */
const heard = (app: TestApp): string[] =>
  app.resend.accepted.filter(({ to }) => to.join() === 'operator@sample.test').map(({ subject }) => subject)
const state = async (app: TestApp) => (await comingEdition(app)).state
const wentOut = async (app: TestApp) => (await tallyOf(app.store, NEXT)).submitted
const news = (app: TestApp, more = {}) => aSession(app, { startsAtLocal: '2026-12-03T19:00', ...more })
const FAR = { startsAtLocal: '2029-12-03T19:00' }

test('a clear edition is told of once, a day before, and goes out in silence with what was edited since', async () => {
  const app = await anOffice()
  news(app)
  await at(app, '2026-11-29T13:59:59Z')
  expect([await state(app), heard(app)]).toEqual(['open', []])
  await at(app, EVE, 3)
  expect([await state(app), heard(app)]).toEqual([
    'clear',
    ['The email of Monday, November 30 goes out as planned'],
  ])
  news(app)
  await at(app, '2026-11-30T13:59:59Z')
  expect(await comingEdition(app)).toMatchObject({
    id: NEXT,
    waits: false,
    counts: { recipients: 4, news: 2 },
  })
  await at(app, SLOT, 3)
  expect([await wentOut(app), heard(app).length]).toEqual([4, 1])
  expect(app.asked).toEqual(['https://book.harbor.test/steady-ground'])
  const toOperator = app.resend.accepted.find(({ to }) => to.join() === 'operator@sample.test')
  expect(toOperator?.text).toMatch(/4 of 4\s+people would get it, with 1 new group time/)
  expect(toOperator?.text).toContain('http://127.0.0.1:3001/')
  expect(JSON.stringify(app.resend.accepted)).not.toContain('editor@sample.test')
})

test('a flagged edition waits, and what was odd stays so, until someone approves just that', async () => {
  const app = await anOffice()
  news(app, FAR)
  await at(app, EVE)
  expect([await state(app), heard(app)]).toEqual([
    'flagged',
    ['Please look at the email of Monday, November 30'],
  ])
  await at(app, SLOT, 2)
  app.db.update(sessions).set({ startsAtLocal: '2026-12-04T19:00' }).run()
  await at(app, '2026-11-30T15:00:00Z')
  expect([await state(app), await wentOut(app)]).toEqual(['waiting', 0])
  expect(await editionsWaiting(app)).toBe(1)

  const { keys } = await comingEdition(app)
  expect(keys).toHaveLength(1)
  news(app, { bookingUrl: 'https://elsewhere.test/' })
  expect(await approveEdition(app, NEXT, [...keys, 'ada@sample.test'])).toEqual({ kind: 'done' })
  await at(app, '2026-11-30T15:01:00Z', 2)
  expect([await state(app), await wentOut(app)]).toEqual(['waiting', 0]) // the new host was not seen
  await approveEdition(app, NEXT)
  await at(app, LATER, 2)
  expect([await wentOut(app), heard(app).length, await editionsWaiting(app)]).toEqual([4, 1, 0])
  expect(await approveEdition(app, NEXT)).toMatchObject({ kind: 'already' })
  expect(
    app.db
      .select()
      .from(auditLog)
      .all()
      .map(({ detail }) => detail),
  ).toEqual(['with the flags far-date', 'with the flags new-host, far-date'])
  expect(await summaryOf(app, NEXT)).toMatchObject({
    review: { flags: [{ name: 'new-host' }, { name: 'far-date' }], approvedAt: '2026-11-30T15:01:00.000Z' },
  })
})

test('a flag that goes before the slot lets it go, and one that comes makes it wait, of which operators hear', async () => {
  const gone = await anOffice()
  news(gone, FAR)
  await at(gone, EVE)
  gone.db.update(sessions).set({ startsAtLocal: '2026-12-04T19:00' }).run()
  await at(gone, SLOT)
  expect(await wentOut(gone)).toBe(4)

  const came = await anOffice()
  news(came)
  await at(came, EVE)
  await approveEdition(came, NEXT)
  expect(await state(came)).toBe('approved')
  news(came, FAR)
  await at(came, SLOT, 2)
  await at(came, '2026-11-30T14:30:00Z')
  expect([await wentOut(came), heard(came)[1]]).toEqual([0, 'The email of Monday, November 30 waits for you'])
  expect(heard(came)).toHaveLength(2)
})

test('after the catch-up it is left out, its news is in the next, and it cannot be approved any more', async () => {
  const app = await anOffice()
  news(app, FAR)
  await at(app, SLOT)
  await at(app, OVER)
  expect(await findReview(app.store, NEXT)).toMatchObject({ lapsedAt: Date.parse(OVER) })
  expect(await approveEdition(app, NEXT)).toMatchObject({ kind: 'not-coming' })
  await at(app, '2026-12-07T14:00:00Z')
  await approveEdition(app, '2026-12-07')
  await at(app, '2026-12-07T14:01:00Z')
  expect((await allEditions(app.store)).map(({ id }) => id)).toEqual(['2026-12-07', '2026-11-23'])
  expect((await tallyOf(app.store, '2026-12-07')).submitted).toBe(4)
})

test('a held edition waits although it is clear and nobody need approve it, and goes when it is released', async () => {
  for (const office of [{ settings: { APPROVAL: 'off' } }, { operators: false }] satisfies Office[]) {
    const app = await anOffice(office)
    news(app)
    expect(await holdEdition(app, NEXT)).toEqual({ kind: 'done' })
    expect(await holdEdition(app, NEXT)).toEqual({ kind: 'done' })
    await at(app, EVE)
    await at(app, SLOT, 2)
    expect([await state(app), await wentOut(app)]).toEqual(['held', 0])
    await approveEdition(app, NEXT)
    await at(app, LATER)
    expect(await wentOut(app)).toBe(4)
  }
})

test('APPROVAL=always waits for a clear one too; without operators, and with off, nothing waits', async () => {
  for (const [office, went] of [
    [{ settings: { APPROVAL: 'always' } }, 0],
    [{ settings: { APPROVAL: 'always', REVIEW_HOURS: '0' } }, 0],
    [{ settings: { APPROVAL: 'always' }, operators: false }, 4],
    [{ settings: { APPROVAL: 'off' } }, 4],
    [{ settings: { REVIEW_HOURS: '0' } }, 4],
    [{ operators: false }, 4],
  ] as const) {
    const app = await anOffice(office)
    news(app, { ...(went > 0 && FAR) })
    await at(app, EVE)
    await at(app, SLOT)
    expect([office, await wentOut(app)]).toEqual([office, went])
    const reviewed = !('settings' in office && 'REVIEW_HOURS' in office.settings)
    if (went > 0 && reviewed) expect(app.logged()).toContain('"flags":["far-date"]')
    expect(heard(app).length).toBe('operators' in office || !(reviewed || went === 0) ? 0 : 1)
  }
})

test('dead links and what fails at Resend are flags; once Resend is well again it goes by itself', async () => {
  const dead = 'https://book.harbor.test/gone'
  const app = await anOffice({ links: { [dead]: 404 } })
  news(app, { bookingUrl: dead })
  await at(app, EVE)
  expect((await comingEdition(app)).flags).toEqual([
    { name: 'dead-link', links: [{ url: dead, status: 404 }] },
  ])
  app.db.update(sessions).set({ bookingUrl: 'https://book.harbor.test/back' }).run()
  app.domains.pop()
  await at(app, SLOT)
  expect((await comingEdition(app)).flags).toMatchObject([
    { name: 'resend', checks: [{ name: 'mail domain' }] },
  ])
  app.domains.push(aDomain('mail.harbor.test'))
  await at(app, '2026-11-30T14:09:00Z')
  expect(await wentOut(app)).toBe(0)
  await at(app, '2026-11-30T14:10:00Z')
  expect(await wentOut(app)).toBe(4)
})

/** The last slot before a weekend on which clocks change in New York, and the slot after it. */
const CLOCK_CHANGES = [
  ['2026-10-26T13:00:00Z', '2026-11-02T14:00:00Z'],
  ['2027-03-08T14:00:00Z', '2027-03-15T13:00:00Z'],
] as const

/** What happens before the slot, and how many people have the edition right after it. */
const STATES = [
  ['clear', 4],
  ['flagged', 0],
  ['held', 0],
  ['approved', 4],
  ['over', 0],
] as const

describe.each(CLOCK_CHANGES)(
  'from %s to %s, with restarts, two workers, and clocks set back and on',
  (last, next) => {
    const id = next.slice(0, 10)
    const after = (hours: number, seconds = 0) =>
      new Date(Date.parse(next) + hours * 3_600_000 + seconds * 1_000).toISOString()

    test.each(STATES)('an edition that is %s goes out once, at its time', async (kind, atOnce) => {
      const app = await anOffice({ last, settings: { APPROVAL: kind === 'approved' ? 'always' : 'flagged' } })
      const went = async () => (await tallyOf(app.store, id)).submitted
      const look = async (...times: string[]) => {
        const seen: number[] = []
        for (const iso of times) {
          app.setNow(iso)
          // Each time two other processes: nothing is known but what the database says.
          await Promise.all(['one', 'two'].map((name) => sweep({ ...app, instance: `${name} at ${iso}` })))
          await submitAll(app)
          seen.push(await went())
        }
        return seen
      }
      news(app, kind === 'flagged' || kind === 'over' ? FAR : {})
      expect([await look(after(-24, -1)), heard(app)]).toEqual([[0], []])
      expect(await look(after(-24), after(-25), after(-23))).toEqual([0, 0, 0])
      if (kind === 'held') await holdEdition(app, id)
      if (kind === 'approved') await approveEdition(app, id)
      expect([await look(after(0, -1)), heard(app).length]).toEqual([[0], 1])
      expect(new Set(await look(after(0), after(-1), after(0, 30), after(1, 60)))).toEqual(new Set([atOnce]))
      if (kind === 'over') await look(after(48, 1))
      await approveEdition(app, id)
      expect(await look(after(48))).toEqual([kind === 'over' ? 0 : 4])
      expect(heard(app)).toHaveLength(kind === 'held' ? 2 : 1)
    })
  },
)

test('sending now is an approval, of the group times that were shown', async () => {
  const app = await anOffice()
  news(app, FAR)
  news(app, { repeats: 'once', startsAtLocal: '2026-11-29T19:00' }) // before the slot
  await at(app, EVE)
  const { id, version } = await comingEdition(app)
  news(app)
  expect(await sendNow(app, { id, version })).toMatchObject({ kind: 'changed' })
  expect(await sendNow(app, { id, version: (await comingEdition(app)).version })).toEqual({ kind: 'done' })
  await submitOwed(app)
  expect(await wentOut(app)).toBe(4)
  expect(await offersOfEdition(app.store, NEXT)).toHaveLength(4)
  await at(app, SLOT)
  expect([await wentOut(app), (await comingEdition(app)).id]).toEqual([4, '2026-12-07'])

  const waiting = await anOffice()
  news(waiting, FAR)
  await at(waiting, SLOT)
  await sendThisWeek(waiting)
  await submitOwed(waiting)
  expect(await wentOut(waiting)).toBe(4)
  const approvals = waiting.db.select().from(auditLog).all()
  expect(approvals).toMatchObject([{ action: 'edition sent', subject: NEXT }])
})

test('readers whose monthly email is not due are no fewer people, and those who left are', async () => {
  const app = await anOffice()
  news(app)
  app.db.$client.exec(`update subscribers set cadence = 'monthly' where id <= 2`)
  await at(app, EVE)
  expect(await comingEdition(app)).toMatchObject({ state: 'clear', counts: { recipients: 2 } })
  app.db.$client.exec(`update subscribers set status = 'unsubscribed' where id = 3`)
  await at(app, SLOT)
  const flag = { name: 'fewer-people', people: 3, last: 4, lastId: '2026-11-23' }
  expect(await comingEdition(app)).toMatchObject({ state: 'waiting', flags: [flag] })
})

test('a hold that comes while the edition is being reviewed is not passed over', async () => {
  const app = await anOffice()
  news(app)
  await at(app, EVE)
  app.setNow(SLOT)
  app.askLinks = async () => {
    await holdEdition(app, NEXT)
    return {}
  }
  app.db.update(sessions).set({ bookingUrl: 'https://book.harbor.test/other' }).run()
  await sweep(app)
  expect([await state(app), (await allEditions(app.store)).length]).toEqual(['held', 1])
})

test('a notice whose edition or operator is gone is dropped, with the reason', async () => {
  const app = await anOffice()
  news(app)
  app.setNow(EVE)
  await sweep(app)
  app.db.update(operators).set({ removedAt: 1 }).run()
  for (const { id } of await owedNotices(app.store, app.now(), 10)) await submitNotice(app, id)
  expect(app.db.select().from(notices).all()).toMatchObject([
    { state: 'dropped', reason: 'the operator is gone' },
  ])
  expect(heard(app)).toEqual([])
})
