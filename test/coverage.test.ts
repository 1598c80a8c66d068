import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { planEdition } from '../src/actions/editions/plan.ts'
import { openSubmitter } from '../src/actions/editions/submit.ts'
import { resubscribeEmail, unsubscribe } from '../src/actions/subscribers/consent.ts'
import { endPause, pauseMail, savePreferences } from '../src/actions/subscribers/preferences.ts'
import { type Candidate, exclusionOf } from '../src/core/audience/exclusion.ts'
import { isUnchanged } from '../src/core/audience/news.ts'
import { chooseTopics, marksAfter, seenBy, type TopicRow } from '../src/core/audience/seen.ts'
import { pauseForWeeks } from '../src/core/intake/preferences.ts'
import { UNSAID } from '../src/core/sessions/group.ts'
import { type Offer, offersAt, type Session, selectFor } from '../src/core/sessions/offers.ts'
import { addDaysLocal, type Slot, slotAtOrBefore } from '../src/core/time/calendar.ts'
import { owedBatches } from '../src/db/ledger/batches.ts'
import { aSession, aSubscriber, testApp } from './app.ts'

/**
 * "A session is shown once, and missed by no one", tested with random histories. An oracle that knows no marks, only
 * what each reader was shown, says after every edition who should get which sessions. First the rules alone are compared
 * with it, then the whole program with its database. Sessions, readers and topics are named by their index.
 */
type Step =
  | { do: 'add'; topic: number; once: boolean }
  /** `slip`: moved by a quiet correction. */
  | { do: 'move' | 'slip' | 'fill' | 'reopen' | 'cancel'; session: number }
  | { do: 'correct'; session: number; topic: number }
  | { do: 'join' }
  | { do: 'choose'; reader: number; topics: number[] }
  | { do: 'pace'; reader: number; monthly: boolean }
  | { do: 'pause'; reader: number; weeks: 0 | 2 | 4 }
  | { do: 'leave' | 'return'; reader: number }

/** `during`: after planning; `late`: after the email was made, before the provider answered; `refused`: their email fails. */
type Week = { before: Step[]; during: Step[]; late: Step[]; refused: number[] }

/** What reached one reader; `more` counts those that did not fit. */
type Mail = { reader: number; shown: number[]; more: number }

/** Something that lives through a history. `at` is the instant of a step; `between` runs the steps of that moment. */
type World = {
  step(step: Step, at: Date): Promise<void>
  edition(slot: Slot, week: Week, between: (moment: 'during' | 'late') => Promise<void>): Promise<Mail[]>
}

const TOPICS = ['anxiety', 'depression', 'ocd']
const MOST = 3
const ZONE = 'America/New_York'
const DAY_MS = 86_400_000
const RULE = { weekday: 1, time: '09:00', timeZone: ZONE } as const
const QUIET: Week = { before: [], during: [], late: [], refused: [] }
const choose = (...topics: number[]): Step => ({ do: 'choose', reader: 0, topics })
const add = (topic: number): Step => ({ do: 'add', topic, once: false })

/** Readers who drop a topic, or choose all, while their email is with the provider. Both had a bug once. */
const CHANGED_MEANWHILE: [Week[]][] = [
  [
    [
      { ...QUIET, before: [add(0)], late: [choose(1)] },
      { ...QUIET, before: [choose()] },
    ],
  ],
  [[{ ...QUIET, before: [choose(0), add(0), add(1)], late: [choose()] }, QUIET]],
  [
    [
      { ...QUIET, before: [choose(1), add(0)] },
      { ...QUIET, before: [{ do: 'correct', session: 0, topic: 1 }], during: [add(0)] },
      { ...QUIET, during: [choose()] },
    ],
  ],
  // A quiet correction before, while, and after an edition goes out; and one after an edition without the session.
  [
    [
      { ...QUIET, before: [add(0), add(1)], late: [{ do: 'slip', session: 1 }] },
      { ...QUIET, before: [{ do: 'slip', session: 0 }, add(0)], during: [{ do: 'slip', session: 2 }] },
      { ...QUIET, before: [{ do: 'fill', session: 0 }, add(0)] },
      { ...QUIET, before: [{ do: 'reopen', session: 0 }, { do: 'slip', session: 0 }, add(0)] },
      { ...QUIET, before: [{ do: 'move', session: 1 }] },
    ],
  ],
  // Someone who joins after a topic was corrected and at first follows the old one: see "unsure".
  [
    [
      { ...QUIET, before: [add(0)] },
      {
        ...QUIET,
        before: [{ do: 'correct', session: 0, topic: 1 }, { do: 'join' }],
        during: [add(0)],
        late: [{ do: 'choose', reader: 2, topics: [0] }],
        refused: [2],
      },
      QUIET,
      { ...QUIET, before: [{ do: 'choose', reader: 2, topics: [] }] },
    ],
  ],
]

const FIRST = Date.parse('2026-11-30T14:00:00Z')

test('the rules show everything bookable once, whatever happens between the editions', async () => {
  await fc.assert(
    fc.asyncProperty(histories(9), async (weeks) => relive(weeks, rulesWorld())),
    { numRuns: 300, examples: CHANGED_MEANWHILE },
  )
})

test('the program with its database does too', async () => {
  await fc.assert(
    fc.asyncProperty(histories(6), async (weeks) => relive(weeks, await databaseWorld())),
    { numRuns: 16, examples: CHANGED_MEANWHILE },
  )
}, 120_000)

function histories(maxLength: number): fc.Arbitrary<Week[]> {
  const reader = fc.nat(4)
  const session = fc.nat(9)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('add'), topic: fc.nat(2), once: fc.boolean() }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom('move', 'slip', 'fill', 'reopen', 'cancel'), session }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('correct'), session, topic: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('join') }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('choose'), reader, topics: fc.subarray([0, 1, 2]) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pace'), reader, monthly: fc.boolean() }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pause'), reader, weeks: fc.constantFrom(0, 2, 4) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('leave', 'return'), reader }) },
  )
  const steps = (most: number) => fc.array(step, { maxLength: most })
  const refused = fc.oneof(
    { weight: 2, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.subarray([0, 1, 2, 3, 4]) },
  )
  const week = fc.record({ before: steps(6), during: steps(2), late: steps(2), refused })
  return fc.array(week, { minLength: 2, maxLength })
}

/** Runs the world through the weeks and compares every edition with the oracle. */
async function relive(weeks: Week[], world: World): Promise<void> {
  const oracle = newOracle()
  const join: Step = { do: 'join' }
  for (const [n, week] of weeks.entries()) {
    const slot = slotAtOrBefore(RULE, new Date(FIRST + n * 7 * DAY_MS))
    const take = async (steps: Step[], at: Date, underWay: boolean) => {
      for (const drawn of steps) {
        const step = oracle.fit(drawn)
        if (step === null) continue
        oracle.step(step, n, underWay)
        await world.step(step, at)
      }
    }
    const before = new Date(slot.at.getTime() - 3 * DAY_MS)
    await take(n === 0 ? [join, join, ...week.before] : week.before, before, false)

    const planned = oracle.plan(n)
    let expected: Map<number, Due> | null = null
    const soon = new Date(slot.at.getTime() + 3_600_000)
    const mails = await world.edition(slot, week, async (moment) => {
      if (moment === 'late') expected = oracle.due(n, planned, week.refused)
      await take(week[moment], soon, true)
    })
    // No recipient was left when the batch was made, so nothing was submitted.
    const mailed = expected ?? oracle.due(n, planned, week.refused)
    const got = new Set(mails.map(({ reader }) => reader))
    for (const [reader, { surely }] of mailed) if (surely.size > 0) expect(got).toContain(reader)
    for (const { reader, shown, more } of mails) {
      const { surely, perhaps } = mailed.get(reader) ?? { surely: new Set(), perhaps: new Set() }
      expect(shown.filter((session) => !surely.has(session) && !perhaps.has(session))).toEqual([])
      const total = shown.length + more
      expect(total).toBeGreaterThanOrEqual(Math.max(1, surely.size))
      expect(total).toBeLessThanOrEqual(surely.size + perhaps.size)
      expect(shown.length).toBe(Math.min(MOST, total))
      oracle.told(reader, n, planned)
    }
  }
}

/** `times` and `reopened` are what makes a session news; `times` is a weekly one's hour, or the date of one that is once. */
type KnownSession = {
  topic: number
  open: boolean
  times: string
  reopened: number
  lastWeek: number
  /** Whether an edition went out without it since it was added or reopened: it is not corrected quietly then. */
  passed: 'no' | 'maybe' | 'yes'
}
type KnownReader = {
  topics: number[]
  monthly: boolean
  pausedBefore: number
  left: boolean
  lastMail: number
  /** By session: its state when this reader was shown it. */
  told: Map<number, string>
  /** Sessions of which the program cannot know what they know, and since which week; `news.md` says when. */
  unsure: Map<number, number>
}
type Snapshot = Map<number, { state: string; topic: number }>
/** `certain`: the `readers` who surely have news. Planning may have left out the others. */
type Planned = {
  offered: Snapshot
  readers: KnownReader[]
  certain: Set<KnownReader>
  chosen: Map<KnownReader, number[]>
}
/** What an email must list, and what else it may list. */
type Due = { surely: Set<number>; perhaps: Set<number> }

/** Records what each reader was shown. */
function newOracle() {
  const sessions: KnownSession[] = []
  const readers: KnownReader[] = []
  const corrected = new Set<number>()
  let current: Planned | null = null
  const stateOf = ({ times, reopened }: KnownSession) => `${times}/${reopened}`
  const bookable = (week: number): Snapshot =>
    new Map(
      [...sessions.entries()]
        .filter(([, { open, lastWeek }]) => open && week <= lastWeek)
        .map(([id, session]) => [id, { state: stateOf(session), topic: session.topic }]),
    )
  const isDue = (reader: KnownReader, week: number) =>
    !reader.left && week >= reader.pausedBefore && (!reader.monthly || week - reader.lastMail >= 4)
  const follows = (topics: number[], topic: number) => topics.length === 0 || topics.includes(topic)
  const dueTo = (reader: KnownReader, offered: Snapshot): Due => {
    const due: Due = { surely: new Set(), perhaps: new Set() }
    for (const [id, { state, topic }] of offered) {
      if (!follows(reader.topics, topic)) continue
      if (reader.unsure.has(id)) due.perhaps.add(id)
      else if (reader.told.get(id) !== state) due.surely.add(id)
    }
    return due
  }
  const some = ({ surely, perhaps }: Due) => surely.size + perhaps.size > 0
  /** Whoever was shown the session at the times before a quiet correction counts as shown it at the new ones. */
  const settle = (session: number, before: string, now: string) => {
    const corrected = (state: string) =>
      state.startsWith(`${before}/`) ? `${now}${state.slice(before.length)}` : state
    for (const { told } of readers) {
      const state = told.get(session)
      if (state !== undefined) told.set(session, corrected(state))
    }
    const offered = current?.offered.get(session)
    if (offered) offered.state = corrected(offered.state)
  }

  return {
    /** The step on an existing session or reader; null if there is none, or it changes nothing. */
    fit(step: Step): Step | null {
      if ('session' in step) {
        if (sessions.length === 0) return null
        const session = step.session % sessions.length
        return step.do === 'reopen' && sessions[session]?.open ? null : { ...step, session }
      }
      if (!('reader' in step)) return step
      const reader = step.reader % readers.length
      // Someone who unsubscribed has no preferences to set.
      return readers[reader]?.left && step.do !== 'return' ? null : { ...step, reader }
    },
    step(step: Step, week: number, underWay: boolean): void {
      if (step.do === 'add')
        sessions.push({
          topic: step.topic,
          open: true,
          times: step.once ? `${week} 20:00` : '20:00',
          reopened: 0,
          lastWeek: step.once ? week + 1 : Infinity,
          passed: 'no',
        })
      if (step.do === 'join')
        readers.push({
          topics: [],
          monthly: false,
          pausedBefore: 0,
          left: false,
          lastMail: -Infinity,
          told: new Map(),
          // Marks do not say when a reader joined: an email about the topic that a session once had covers it too.
          unsure: new Map([...corrected].map((id) => [id, week])),
        })
      if (step.do === 'correct') corrected.add(step.session)
      if ('session' in step) {
        const session = sessions[step.session] as KnownSession
        const { times: before, open: wasOpen } = session
        if (step.do === 'fill' || step.do === 'cancel') session.open = false
        if (wasOpen && !session.open && underWay && session.passed === 'no') session.passed = 'maybe'
        if (step.do === 'reopen')
          Object.assign(session, { open: true, reopened: session.reopened + 1, passed: 'no' })
        if (step.do === 'correct') session.topic = step.topic
        if (step.do === 'move' || step.do === 'slip') {
          const weekly = session.lastWeek === Infinity
          const times = weekly ? '20:00' : `${week} 20:00`
          session.times = session.times === times ? times.replace('20:00', '21:00') : times
          if (!weekly) session.lastWeek = week + 1
        }
        const isQuiet = step.do === 'slip' && !(session.open && session.passed === 'yes')
        if (isQuiet) settle(step.session, before, session.times)
        const isUnclear = isQuiet && session.open && session.passed === 'maybe'
        const isMove = step.do === 'move' || (step.do === 'slip' && !isQuiet)
        for (const reader of readers) {
          if ((isMove && underWay) || isUnclear) reader.unsure.set(step.session, week)
          if (step.do === 'correct' && reader.told.get(step.session) !== stateOf(session))
            reader.unsure.set(step.session, week)
          if (step.do === 'reopen') reader.unsure.delete(step.session)
        }
      }
      if ('reader' in step) {
        const reader = readers[step.reader] as KnownReader
        if (step.do === 'choose') reader.topics = step.topics
        if (step.do === 'pace') reader.monthly = step.monthly
        if (step.do === 'pause') reader.pausedBefore = step.weeks === 0 ? 0 : week + step.weeks
        if (step.do === 'leave' || step.do === 'return') reader.left = step.do === 'leave'
      }
    },
    plan(week: number): Planned {
      const offered = bookable(week)
      for (const [id, session] of sessions.entries()) if (!offered.has(id)) session.passed = 'yes'
      current = {
        offered,
        readers: readers.filter((one) => isDue(one, week) && some(dueTo(one, offered))),
        certain: new Set(readers.filter((one) => dueTo(one, offered).surely.size > 0)),
        chosen: new Map(),
      }
      return current
    },
    /** Who is emailed what, except those whose email is refused. Uses the topics as planned. */
    due(week: number, planned: Planned, refused: number[]): Map<number, Due> {
      const now = bookable(week)
      const stands = [...planned.offered].filter(([id, { state }]) => now.get(id)?.state === state)
      const mailed = new Map<number, Due>()
      for (const [index, reader] of readers.entries()) {
        planned.chosen.set(reader, reader.topics)
        if (!planned.readers.includes(reader) || !isDue(reader, week) || refused.includes(index)) continue
        const due = dueTo(reader, new Map(stands))
        if (!planned.certain.has(reader))
          Object.assign(due, { surely: new Set(), perhaps: new Set([...due.perhaps, ...due.surely]) })
        if (some(due)) mailed.set(index, due)
      }
      planned.offered = new Map(stands)
      return mailed
    },
    /** They got the email, so they have seen what it offered in the topics they followed. */
    told(index: number, week: number, { offered, chosen }: Planned): void {
      const reader = readers[index] as KnownReader
      const topics = chosen.get(reader) ?? reader.topics
      for (const [id, { state, topic }] of offered)
        if (follows(topics, topic)) {
          reader.told.set(id, state)
          if ((reader.unsure.get(id) ?? week) < week) reader.unsure.delete(id)
        }
      reader.lastMail = week
    },
  }
}

/** When a session first meets: those that meet once do so a week after the edition that follows. */
const startOf = (at: Date, days: number): string =>
  addDaysLocal(`${at.toISOString().slice(0, 10)}T20:00`, days)
const daysAhead = (at: Date): number => 7 + ((8 - at.getUTCDay()) % 7)

type RulesReader = Candidate & { general: number; rows: TopicRow[] }

/** The pure rules, with the two things that the database adds: `seq` by its triggers, and rows that are replaced. */
function rulesWorld(): World {
  const sessions: Session[] = []
  const readers: RulesReader[] = []
  let seq = 0
  let throughSeq = 0
  let underWay: number | null = null
  const passed = new Set<Session>()

  return {
    async step(step, at) {
      if (step.do === 'add') {
        const startsAtLocal = startOf(at, daysAhead(at))
        const session = sessionOf(sessions.length, { ...step, seq: seq + 1, startsAtLocal })
        noteNews(session, false)
        sessions.push(session)
      }
      if (step.do === 'join')
        readers.push({
          status: 'active',
          suppressed: false,
          pausedUntil: null,
          cadence: 'weekly',
          lastEditionId: null,
          general: 0,
          rows: [],
        })
      if ('session' in step) changeSession(sessions[step.session] as Session, step, at)
      if ('reader' in step) changeReader(readers[step.reader] as RulesReader, step, at)
    },
    async edition(slot, week, between) {
      throughSeq = seq
      underWay = seq
      const known = new Map(offersAt(sessions, slot.at).map((offer) => [offer.id, offer]))
      for (const session of sessions) if (!known.has(session.id)) passed.add(session)
      const selection = (reader: RulesReader, offers: readonly Offer[]) => {
        const barred = exclusionOf(reader, slot.editionId, slot.at) !== null
        return barred
          ? null
          : selectFor(seenBy(reader.general, reader.rows), offers, { throughSeq, max: MOST })
      }
      const planned = readers.filter((reader) => selection(reader, [...known.values()]) !== null)
      await between('during')
      const offers = offersAt(sessions, slot.at).filter(
        (offer) => known.has(offer.id) && isUnchanged(offer, throughSeq),
      )
      const made = planned.flatMap((reader) => {
        const selected = selection(reader, offers)
        const { topics } = seenBy(reader.general, reader.rows)
        return selected ? [{ reader, selected, covered: topics && [...topics] }] : []
      })
      if (made.length > 0) await between('late')
      underWay = null
      const accepted = made.filter(({ reader }) => !week.refused.includes(readers.indexOf(reader)))
      for (const { reader, covered } of accepted)
        Object.assign(reader, marksAfter(reader.general, reader.rows, covered, throughSeq, [0, 1, 2]), {
          lastEditionId: slot.editionId,
        })
      return accepted.map(({ reader, selected: { shown, more } }) => ({
        reader: readers.indexOf(reader),
        shown: shown.map(({ id }) => id),
        more,
      }))
    },
  }

  function changeSession(session: Session, step: Step & { session: number }, at: Date): void {
    const closes = step.do === 'fill' || step.do === 'cancel'
    if (closes && session.status === 'open' && underWay !== null) passed.add(session)
    if (step.do === 'fill') session.status = 'full'
    if (step.do === 'cancel') session.status = 'cancelled'
    if (step.do === 'reopen') session.status = 'open'
    if (step.do === 'move' || step.do === 'slip')
      session.startsAtLocal = movedStart(session.startsAtLocal, at, session.repeats)
    if (step.do === 'correct') session.topicId = step.topic
    if (step.do === 'slip' && !(session.status === 'open' && passed.has(session))) settle(session)
    if (!closes) noteNews(session, step.do === 'reopen')
    if (step.do === 'reopen') passed.delete(session)
  }

  function timesOf({ repeats, startsAtLocal }: Session): string {
    return repeats === 'weekly' ? startsAtLocal.slice(11) : startsAtLocal
  }

  // As the triggers do it.
  function settle(session: Session): void {
    const before = session.history?.at(-1)?.times
    const times = timesOf(session)
    session.history = (session.history ?? []).map((state) =>
      state.times === before ? { ...state, times } : state,
    )
  }

  // As the triggers do it.
  function noteNews(session: Session, reopens: boolean): void {
    const known = session.history ?? []
    const last = known.at(-1)
    const { topicId } = session
    const times = timesOf(session)
    const moved = last?.times !== times
    if (last && !moved && last.topicId === topicId && !reopens) return
    let history = [...known]
    if (last && moved && underWay !== null && underWay >= last.seq) {
      if (underWay === last.seq) history.pop()
      history.push({ ...last, seq: underWay, times: '' })
    }
    const corrected = last !== undefined && last.topicId !== topicId
    history = history.filter((state, n) => state.seq <= throughSeq || (n === 0 && !corrected))
    const back = history.at(-1)
    const reopened = last?.reopened ?? 0
    if (reopens || !back || back.times !== times || back.topicId !== topicId || back.reopened !== reopened) {
      seq += 1
      history.push({ seq, topicId, times, reopened: reopens ? seq : reopened })
    }
    Object.assign(session, { history, seq: history.at(-1)?.seq })
  }

  function changeReader(reader: RulesReader, step: Step & { reader: number }, at: Date): void {
    if (step.do === 'choose') {
      const choice = step.topics.length === 0 ? 'all' : new Set(step.topics)
      reader.rows = chooseTopics(reader.rows, reader.general, [0, 1, 2], choice)
    }
    if (step.do === 'pace') reader.cadence = step.monthly ? 'monthly' : 'weekly'
    if (step.do === 'pause')
      reader.pausedUntil = step.weeks === 0 ? null : pauseForWeeks(step.weeks, ZONE, at).getTime()
    if (step.do === 'leave') reader.status = 'unsubscribed'
    if (step.do === 'return') reader.status = 'active'
  }
}

/** A new start in the same week as a session added now; for a weekly series, at another hour. */
function movedStart(before: string, at: Date, repeats: string): string {
  const start = startOf(at, daysAhead(at))
  const same = repeats === 'weekly' ? before.endsWith('T20:00') : start === before
  return same ? start.replace('T20:00', 'T21:00') : start
}

function sessionOf(
  id: number,
  { topic, once, seq, startsAtLocal }: { topic: number; once: boolean; seq: number; startsAtLocal: string },
): Session {
  const slug = TOPICS[topic] ?? ''
  const group = {
    topicId: topic,
    topicSlug: slug,
    topicName: slug,
    topicNames: {},
    groupId: topic,
    ...UNSAID,
    kind: 'therapy',
    group: 'Steady Ground',
    therapist: 'Dr. Mira Lee',
  } as const
  const seats = { seatsTotal: null, seatsLeft: null, status: 'open', bookingUrl: '' } as const
  const times = {
    startsAtLocal,
    timeZone: ZONE,
    durationMinutes: 90,
    repeats: once ? 'once' : 'weekly',
    occurrences: null,
  } as const
  return { id, externalId: String(id), ...group, ...seats, ...times, seq, addedSeq: seq, news: 'new' }
}

/** The program: sessions change by plain SQL, readers by their links, editions are planned and submitted. */
async function databaseWorld(): Promise<World> {
  let refused: string[] = []
  const refuseAddress = (address: string) => (refused.includes(address) ? 'mailbox on fire' : null)
  const app = await testApp({ resend: { refuseAddress }, settings: { DIGEST_MAX_SESSIONS: String(MOST) } })
  const sql = (text: string, ...values: unknown[]) => app.db.$client.prepare(text).run(...values)
  const addressOf = (reader: number) => `reader-${reader}@sample.test`
  const forms: { tz: string; cadence: string; topics: string[] }[] = []
  const ids: number[] = []
  const topicIds = TOPICS.map((slug) =>
    app.db.$client.prepare('select id from topics where slug = ?').pluck().get(slug),
  )

  return {
    async step(step, at) {
      app.setNow(at.toISOString())
      if (step.do === 'add') {
        const bookingUrl = `https://book.harbor.test/${ids.length}`
        const startsAtLocal = startOf(at, daysAhead(at))
        const repeats = step.once ? ('once' as const) : ('weekly' as const)
        ids.push(aSession(app, { topic: TOPICS[step.topic] ?? '', bookingUrl, startsAtLocal, repeats }))
      }
      if (step.do === 'join') {
        aSubscriber(app, addressOf(forms.length), { publicId: `reader-${forms.length}` })
        forms.push({ tz: ZONE, cadence: 'weekly', topics: [] })
      }
      if ('session' in step) changeSession(ids[step.session] ?? 0, step, at)
      if ('reader' in step) await changeReader(`reader-${step.reader}`, step)
    },
    async edition(slot, week, between) {
      app.setNow(new Date(slot.at.getTime() + 60_000).toISOString())
      refused = week.refused.map(addressOf)
      const before = app.resend.accepted.length
      await planEdition(app, slot)
      await between('during')
      const mailer: typeof app.mailer = {
        ...app.mailer,
        async submitBatch(batch) {
          await between('late')
          return app.mailer.submitBatch(batch)
        },
      }
      for (const { id } of await owedBatches(app.store, app.now(), 100))
        await openSubmitter({ ...app, mailer }).submit(id)
      return app.resend.accepted.slice(before).map(({ to, text }) => {
        const shown = [...text.matchAll(/book\.harbor\.test\/(\d+)/g)].map(([, id]) => Number(id))
        const all = Number(/^See all (\d+) group times/m.exec(text)?.[1] ?? shown.length)
        return {
          reader: Number(/^reader-(\d+)@/.exec(to[0] ?? '')?.[1]),
          shown,
          more: all - shown.length,
        }
      })
    },
  }

  function changeSession(id: number, step: Step & { session: number }, at: Date): void {
    const states = { fill: 'full', cancel: 'cancelled', reopen: 'open' } as Record<string, string>
    if (step.do === 'correct') {
      sql(
        `insert into groups (topic_id, title) values (?, 'Steady Ground') on conflict do nothing`,
        topicIds[step.topic],
      )
      return void sql(
        'update sessions set group_id = (select id from groups where topic_id = ?) where id = ?',
        topicIds[step.topic],
        id,
      )
    }
    if (step.do !== 'move' && step.do !== 'slip')
      return void sql('update sessions set status = ? where id = ?', states[step.do], id)
    const { start, repeats } = app.db.$client
      .prepare('select starts_at_local as start, repeats from sessions where id = ?')
      .get(id) as { start: string; repeats: string }
    if (step.do === 'slip') sql('insert into quiet_changes (session_id) values (?)', id)
    sql('update sessions set starts_at_local = ? where id = ?', movedStart(start, at, repeats), id)
  }

  async function changeReader(publicId: string, step: Step & { reader: number }): Promise<void> {
    const form = forms[step.reader]
    if (step.do === 'leave') await unsubscribe(app, publicId)
    // By an operator: their own link would undo it for a day only.
    if (step.do === 'return') await resubscribeEmail(app, addressOf(step.reader))
    if (step.do === 'pause')
      await (step.weeks === 0
        ? endPause(app, publicId)
        : pauseMail(app, publicId, { weeks: String(step.weeks) }))
    if (!form || (step.do !== 'choose' && step.do !== 'pace')) return
    if (step.do === 'choose') form.topics = step.topics.map((topic) => TOPICS[topic] ?? '')
    if (step.do === 'pace') form.cadence = step.monthly ? 'monthly' : 'weekly'
    await savePreferences(app, publicId, form)
  }
}
