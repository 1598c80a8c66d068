import { setImmediate } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { openJudge } from '../../core/audience/judge.ts'
import { Unavailable } from '../../core/errors.ts'
import { heldBecause } from '../../core/hold.ts'
import { offersAt } from '../../core/sessions/offers.ts'
import type { Slot } from '../../core/time/calendar.ts'
import { installationId } from '../../core/tokens.ts'
import { candidatesAfter } from '../../db/ledger/candidates.ts'
import {
  beginEdition,
  finishEdition,
  finishPlanning,
  type Said,
  supersedeBefore,
} from '../../db/ledger/edition-states.ts'
import { type Edition, findEdition, offersOfEdition } from '../../db/ledger/editions.ts'
import { recordVerdicts } from '../../db/ledger/verdicts.ts'
import { currentHold } from '../../db/restore/epoch.ts'
import { openSessions, type Program } from '../../db/sessions/sessions.ts'
import { failpoint, guardOn } from '../../failpoint.ts'
import { warnOfLeftOut } from '../sessions/left-out.ts'
import { settleSeats } from '../sessions/seats.ts'

type Planner = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'now'>

/** Candidates per transaction: about ten milliseconds, so that locks are renewed and pages served in between. */
const CHUNK = 1_000

/** An edition that exists now. */
export type Planned = { kind: 'planned' | 'exists'; edition: Edition }

/**
 * Plans the edition of a slot: freezes what it offers and who gets it. Idempotent: run twice, from two processes at once,
 * or again after a kill, it makes one edition. Wakes the sweep, which enqueues the batches. It asks no review.
 * Throws `Unavailable` while the installation is held.
 */
export async function planEdition(app: Planner & Pick<App, 'queue'>, slot: Slot): Promise<Planned> {
  return surely(await planReviewed(app, slot, {}), slot)
}

/** `planEdition` by someone who thereby approves it; that is on record. */
export async function planByHand(app: Planner & Pick<App, 'queue'>, slot: Slot): Promise<Planned> {
  return surely(await planReviewed(app, slot, { byHand: true }), slot)
}

function surely(planned: Planned | null, { editionId }: Slot): Planned {
  if (planned === null) throw new Error(`edition ${editionId} was neither planned nor there`)
  return planned
}

/**
 * `planEdition` of what was reviewed: with these sessions, and with a `stamp` only if nothing was said or found of its review since
 * it was read. Null then: someone must decide again. `byHand` puts it on record.
 */
export async function planReviewed(
  app: Planner & Pick<App, 'queue'>,
  slot: Slot,
  { program, ...said }: { program?: Program } & Said,
): Promise<Planned | null> {
  const now = app.now()
  const found = await findEdition(app.store, slot.editionId)
  if (found && found.state !== 'planning') return { kind: 'exists', edition: found }

  const hold = await currentHold(app.store)
  if (hold) throw new Unavailable(`edition ${slot.editionId} is not planned: ${heldBecause(hold)}`)
  if (!found) {
    await warnOfLeftOut(app)
    await settleSeats(app)
    const { throughSeq, sessions } = program ?? (await openSessions(app.store, now))
    const offers = offersAt(sessions, now)
    await supersedeBefore(app.store, slot.editionId)
    failpoint('after-supersede')
    const edition = { id: slot.editionId, scheduledFor: slot.at, throughSeq, offers }
    const begun = await beginEdition(app.store, edition, now, said)
    failpoint('after-begin')
    if (begun) app.log.info({ edition: slot.editionId, sessions: offers.length }, 'planning an edition')
    else if ((await findEdition(app.store, slot.editionId)) === null) return null
  }
  const edition = await planAudience(app, slot.editionId)
  await app.queue.wakeSweep()
  return { kind: found ? 'exists' : 'planned', edition }
}

/** Without a webhook nothing would be reported of a first wave, and the rest would only wait. */
const hasFirstWave = ({ FIRST_WAVE, RESEND_WEBHOOK_SECRET }: App['config']): boolean =>
  FIRST_WAVE === 'auto' && RESEND_WEBHOOK_SECRET !== undefined

/** Plans the rest of an edition's audience and returns the edition. Leaves a paused one as it is. */
export async function planAudience(app: Planner, editionId: string): Promise<Edition> {
  const offers = await offersOfEdition(app.store, editionId)
  for (;;) {
    const edition = await findEdition(app.store, editionId)
    if (edition === null) throw new Error(`edition ${editionId} is gone`)
    if (edition.state !== 'planning') return edition

    const limit = guardOn('plan-in-chunks') ? CHUNK : Number.MAX_SAFE_INTEGER
    const candidates = await candidatesAfter(app.store, edition, edition.plannedThrough, limit)
    if (candidates.length === 0) {
      failpoint('before-planned')
      await finishPlanning(app.store, editionId, { wave: hasFirstWave(app.config) }, app.now())
      failpoint('after-planned')
      await finishEdition(app.store, editionId, app.now()) // nobody to mail: it has ended already
      continue
    }
    // A slot that is planned late asks who is paused now, not who was paused on Monday.
    const at = new Date(Math.max(edition.scheduledFor, app.now().getTime()))
    const judge = openJudge({ ...edition, offers, at, max: app.config.DIGEST_MAX_SESSIONS, resend: null })
    const verdicts = candidates.map((candidate) => ({
      subscriberId: candidate.id,
      seenThrough: candidate.seenThrough,
      exclusion: judge.exclude(candidate),
    }))
    // If it returns false, another planner did this chunk; the next round reads how far that one is.
    await recordVerdicts(
      app.store,
      { editionId, installation: installationId(app.hashKey), wave: hasFirstWave(app.config) },
      edition.plannedThrough,
      verdicts,
    )
    failpoint('after-verdicts')
    await setImmediate()
  }
}
