import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Summary } from '../../../actions/editions/show.ts'
import type { App } from '../../../app.ts'
import { mayDo } from '../../../core/operators/permissions.ts'
import { formatOccurrence } from '../../../core/time/occurrences.ts'
import type { Translator } from '../../../core/words/words.ts'
import { offersOfEdition } from '../../../db/ledger/editions.ts'
import { troublesOf } from '../../../db/ledger/troubles.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { dayOf, whenIn } from '../when.ts'
import { excludedIn, reasonsOf, sumOf } from './sum.ts'

type Needs = Pick<App, 'config' | 'store'>
type Words = Translator<OperatorKey>

export const TABS = ['shown', 'skipped', 'troubles'] as const
export type Tab = (typeof TABS)[number]

const LIVE_SECONDS = 5

/** What is open to the operator of an edition in this state. */
export function controlsOf(summary: Summary, { actor }: Pick<FastifyRequest, 'actor'>) {
  const { state, failed, unknown, submitted, prunedAt, waiting, resends } = summary
  const may = mayDo(actor, 'editions.control')
  const isDone = state === 'submitted' && prunedAt === undefined
  return {
    pause: may && (state === 'submitting' || state === 'planning'),
    resume: may && state === 'paused',
    cancel: may && ['submitting', 'planning', 'paused'].includes(state),
    waiting,
    resend: may && isDone,
    failed: may && isDone ? failed : 0,
    unknown: may && isDone ? unknown : 0,
    all: may && isDone ? submitted : 0,
    /** What a form was shown of: another resend since makes it too old. */
    generation: resends.length,
  }
}

/** The page of one edition. */
export async function showEdition(
  app: Needs,
  request: FastifyRequest,
  reply: FastifyReply,
  { summary, tab, wrong = null }: { summary: Summary; tab: Tab; wrong?: string | null },
): Promise<FastifyReply> {
  const { words } = reply
  const { timeZone } = app.config.slotRule
  const isLive = ['planning', 'submitting'].includes(summary.state)
  const controls = controlsOf(summary, request)
  return reply.show('edition', {
    title: words.t('editions.one.title', { day: dayOf(summary.id, words) }),
    id: summary.id,
    script: isLive ? 'live.js' : undefined,
    live: isLive ? LIVE_SECONDS : null,
    due: whenIn(summary.scheduledFor, timeZone, words),
    state: stateIn(summary, words),
    ...sumOf(goingOut(summary), words),
    held: summary.held ?? null,
    retrying: summary.retrying?.reason ?? null,
    wave: waveIn(summary, timeZone, words),
    waits: (summary.waitsFor ?? []).map(({ edition, recipients }) =>
      words.t('editions.waits', { edition, recipients }),
    ),
    resends: summary.resends.map((one) => ({ n: one.generation, ...sumOf(one, words) })),
    batches: batchesIn(summary, words),
    controls,
    wrong,
    tabs: TABS.map((name) => ({
      name: words.t(`editions.tab.${name}`),
      url: `/editions/${summary.id}?tab=${name}`,
      here: name === tab,
    })),
    ...(await tabOf(app, summary, { tab, corrects: controls.resend }, words)),
  })
}

/** What the bar is about: the resend that is going out now, else the edition itself. */
const goingOut = ({ state, edition, resends }: Summary) =>
  (state === 'submitting' && resends.at(-1)) || edition

const BATCHES = ['submitted', 'submitting', 'planned', 'unknown', 'cancelled'] as const

function batchesIn({ batchStates }: Summary, words: Words): string {
  return BATCHES.flatMap((state) => {
    const n = batchStates[state] ?? 0
    return n > 0 ? [words.t(`editions.batches.${state}`, { n })] : []
  }).join(' · ')
}

/** The same in a few words, for the script that keeps the page up to date. */
export function progressOf(summary: Summary, words: Words) {
  const { lead, facts, done, candidates } = sumOf(goingOut(summary), words)
  const isLive = ['planning', 'submitting'].includes(summary.state)
  return { state: stateIn(summary, words), lead, facts: facts.join(' '), done, candidates, isLive }
}

/** What the rest waits for, or null. */
function waveIn({ firstWave, state }: Summary, timeZone: string, words: Words): string | null {
  if (!firstWave || firstWave.passedAt !== null || state !== 'submitting') return null
  const { submitted, reported, until } = firstWave
  if (until === null) return words.t('editions.wave.first')
  return words.t('editions.wave.waits', { submitted, reported, until: whenIn(until, timeZone, words) })
}

function stateIn({ state, pauseReason, resends }: Summary, words: Words): string {
  if (state === 'submitting' && resends.length > 0)
    return words.t('editions.state.again', { n: resends.length })
  return state === 'paused'
    ? words.t('editions.state.paused', { reason: pauseReason ?? '' })
    : words.t(`editions.state.${state}`)
}

async function tabOf(
  app: Needs,
  summary: Summary,
  { tab, corrects }: { tab: Tab; corrects: boolean },
  words: Words,
) {
  const none = { shown: null, skipped: null, troubles: null }
  if (tab === 'shown') return { ...none, shown: await shownIn(app, { id: summary.id, corrects }, words) }
  if (tab === 'skipped')
    return {
      ...none,
      skipped: { total: excludedIn(summary.edition), reasons: reasonsOf(summary.edition, words) },
    }
  const rows = await troublesOf(app.store, summary.id)
  return {
    ...none,
    troubles: {
      rows: rows.map(({ state, reason, n }) => ({ state: words.t(`editions.trouble.${state}`), reason, n })),
    },
  }
}

const MOST_SHOWN = 100

async function shownIn({ store }: Needs, { id, corrects }: { id: string; corrects: boolean }, words: Words) {
  const offers = await offersOfEdition(store, id)
  const soonest = offers.toSorted((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))
  return {
    total: offers.length,
    more: Math.max(0, offers.length - MOST_SHOWN),
    sessions: soonest
      .slice(0, MOST_SHOWN)
      .map(({ id: session, group, topic, therapist, startsAt, timeZone }) => ({
        url: `/sessions/${session}`,
        group,
        topic,
        therapist,
        when: whenIn(startsAt, timeZone, words),
        zone: formatOccurrence(new Date(startsAt), timeZone, words.locale).zoneName,
        correct: corrects ? `/editions/${id}/correct/${session}` : null,
      })),
  }
}
