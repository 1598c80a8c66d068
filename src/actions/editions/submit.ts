import { setImmediate } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { claimBatch, recordSubmission, returnBatch } from '../../db/ledger/batch-claims.ts'
import { markUnknown } from '../../db/ledger/batch-states.ts'
import {
  type Batch,
  findBatch,
  freezesOnce,
  keyTrustEnd,
  leaseEnd,
  type OwedBatch,
} from '../../db/ledger/batches.ts'
import { finishEdition, pauseEdition } from '../../db/ledger/edition-states.ts'
import { findEdition } from '../../db/ledger/editions.ts'
import { failpoint, waitOf } from '../../failpoint.ts'
import { hasCertainlyEnded } from '../../machine/process-identity.ts'
import type { SubmitAnswer } from '../../resend/mailer.ts'
import { claimAndFreeze, type FreezeMemory, type Frozen, rebuildFrozen } from './freeze.ts'

/** The outcome of one attempt to submit a batch. */
export type SubmitOutcome =
  | { kind: 'submitted'; accepted: number; refused: number }
  /** Another process has it, it has ended, or its edition may not continue. */
  | { kind: 'not-ours' }
  | { kind: 'closed'; reason: 'nobody-left' | 'unknown' }
  | { kind: 'again'; at: Date }
  | { kind: 'rate-limited'; ms: number }
  | { kind: 'paused'; reason: string }

const LONGEST_WAIT_MS = 300_000

/** Submits batches in this process, and keeps what it needs from one to the next. */
export type Submitter = {
  /**
   * Claims a batch, makes the last checks, freezes it, submits it under its idempotency key, and records the answer.
   * Idempotent and crash-safe at any line, by the claim, the frozen bytes, and the key. If the database or the program
   * fails, it returns the batch to the ledger and throws; the sweep tries it again.
   */
  submit(batchId: number): Promise<SubmitOutcome>
  /** Whether a claim may be taken over: its lease ran out, its process has ended, or it is ours and not in flight. */
  isStale(claim: ClaimOf, now: Date): boolean
  /** The limit in Resend's last answer to this process, in requests per second; null before the first answer. */
  perSecond(): number | null
}

type ClaimOf = Pick<OwedBatch, 'id' | 'state' | 'claimedBy' | 'claimedAt'>

/** Losing it with the process does no harm. */
type Memory = FreezeMemory & {
  /** Batches that this process is working on. A claim of ours that is not among them is abandoned. */
  inFlight: Set<number>
  /** Resolves when the batch that last yielded to the event loop may continue. */
  lastYield: Promise<unknown>
  perSecond: number | null
}

/** Opens a submitter with an empty memory. One process needs one; it holds nothing that must be closed. */
export function openSubmitter(app: App): Submitter {
  const memory: Memory = {
    offers: null,
    template: null,
    composers: new Map(),
    inFlight: new Set(),
    lastYield: Promise.resolve(),
    perSecond: null,
  }
  return {
    async submit(batchId) {
      const { inFlight } = memory
      if (inFlight.has(batchId)) return { kind: 'not-ours' }
      inFlight.add(batchId)
      try {
        return await claimAndSubmit(app, memory, batchId)
      } finally {
        inFlight.delete(batchId)
      }
    },
    isStale: (claim, now) => isStale(app, memory, claim, now),
    perSecond: () => memory.perSecond,
  }
}

async function claimAndSubmit(app: App, memory: Memory, batchId: number): Promise<SubmitOutcome> {
  const found = await findBatch(app.store, batchId)
  if (found === null || (found.state !== 'planned' && found.state !== 'submitting'))
    return { kind: 'not-ours' }
  const gone =
    found.claimedBy === app.instance || isStale(app, memory, found, app.now()) ? found.claimedBy : null
  failpoint('before-claim')
  let batch: Batch | null = null
  try {
    const claimed = await claim(app, memory, found, gone)
    if ('kind' in claimed) return await ended(app, found, claimed)
    batch = claimed.batch
    const { outcome, perSecond } = await submitClaimed(app, claimed)
    await ended(app, found, outcome)
    await followLimit(app, memory, perSecond) // last, as it waits for Redis
    return outcome
  } catch (error) {
    await postpone(app, batch ?? { id: batchId, gone }, error).catch(() => {})
    throw error
  }
}

type Claimed = { batch: Batch; frozen: Frozen }

/** Claims the batch with the bytes to submit; otherwise, the outcome. */
async function claim(
  app: App,
  memory: Memory,
  found: Batch,
  gone: string | null,
): Promise<Claimed | SubmitOutcome> {
  await yieldToLoop(memory)
  if (!isFrozen(app, found)) return await claimFirst(app, memory, found, gone)
  const batch = await claimBatch(app.store, found.id, { by: app.instance, at: app.now(), gone })
  failpoint('after-claim')
  if (batch === null) return { kind: 'not-ours' }
  const tooOld = outlived(app, batch.firstAttemptAt ?? 0)
  const frozen = tooOld ? null : await rebuildFrozen(app, memory, batch)
  if (frozen) return { batch, frozen }
  const why = tooOld
    ? 'no certain answer within 23 hours of the first attempt'
    : 'the email cannot be made again as it first was'
  app.log.error(
    { edition: batch.editionId, batch: batch.number, attempt: batch.attempts, reason: why },
    'a batch became unknown',
  )
  await markUnknown(app.store, batch.id, why)
  return { kind: 'closed', reason: 'unknown' }
}

// Another program may change readers or sessions at any time, and what was made from them must then be made again.
const LOOKS = 5

async function claimFirst(
  app: App,
  memory: Memory,
  batch: Batch,
  gone: string | null,
): Promise<Claimed | SubmitOutcome> {
  const edition = await findEdition(app.store, batch.editionId)
  if (edition === null) throw new Error(`batch ${batch.id} has no edition`)
  for (let look = 0; look < LOOKS; look += 1) {
    const claimed = await claimAndFreeze(app, memory, { batch, edition, gone })
    if (claimed === 'nobody-left') return { kind: 'closed', reason: claimed }
    if (claimed === 'not-ours') break
    if (claimed !== 'changed') return claimed
  }
  return { kind: 'not-ours' }
}

/** Whether it must go out with the bytes of its first attempt. What is in doubt without any may only become unknown. */
function isFrozen(app: App, { firstAttemptAt, bodyHash }: Batch): boolean {
  if (firstAttemptAt === null || !freezesOnce()) return false
  return bodyHash !== null || outlived(app, firstAttemptAt)
}

async function ended(app: App, { editionId }: Batch, outcome: SubmitOutcome): Promise<SubmitOutcome> {
  if (outcome.kind === 'submitted' || outcome.kind === 'closed') await finish(app, editionId)
  return outcome
}

/** Lets a batch that the program or the database failed on wait for its next attempt. What is frozen stays so. */
async function postpone(
  app: App,
  of: Batch | { id: number; gone: string | null },
  error: unknown,
): Promise<void> {
  const batch =
    'state' in of
      ? of
      : await claimBatch(app.store, of.id, { by: app.instance, at: app.now(), gone: of.gone })
  if (batch === null) return
  const reason = error instanceof Error ? error.message : String(error)
  await returnBatch(app.store, batch, { refused: false, reason, nextAttemptAt: retryAt(app, batch) })
}

function isStale(app: App, { inFlight }: Memory, claim: ClaimOf, now: Date): boolean {
  if (claim.state !== 'submitting' || claim.claimedBy === null) return false
  // A claim of ours that is not in flight is left over from a disk error that kept us from returning the batch.
  if (claim.claimedBy === app.instance) return !inFlight.has(claim.id)
  return isLeft(claim, now)
}

/** Whether a claim is abandoned: its lease ran out, or its process has certainly ended. */
export function isLeft(claim: Pick<OwedBatch, 'claimedBy' | 'claimedAt'>, now: Date): boolean {
  if (claim.claimedBy === null) return false
  return hasCertainlyEnded(claim.claimedBy) || (claim.claimedAt ?? 0) < leaseEnd(now)
}

type Settled = { outcome: SubmitOutcome; perSecond: number | null }

async function submitClaimed(app: App, { batch, frozen }: Claimed): Promise<Settled> {
  failpoint('before-submit')
  const answer = await app.mailer.submitBatch({
    body: frozen.body,
    size: frozen.deliveries.length,
    key: batch.key,
  })
  failpoint('after-submit')
  return { outcome: await settle(app, batch, frozen, answer), perSecond: answer.perSecond }
}

async function settle(app: App, batch: Batch, frozen: Frozen, answer: SubmitAnswer): Promise<SubmitOutcome> {
  const log = app.log.child({
    edition: batch.editionId,
    batch: batch.number,
    generation: batch.generation,
    attempt: batch.attempts,
  })

  switch (answer.kind) {
    case 'accepted':
      return await recordAccepted(app, batch, frozen, answer.results, log)
    case 'uncertain': {
      const at = retryAt(app, batch)
      log.warn(
        { reason: answer.reason, again: at },
        'no certain answer; the same bytes go out again under the same key',
      )
      await returnBatch(app.store, batch, { refused: false, reason: answer.reason, nextAttemptAt: at })
      return { kind: 'again', at }
    }
    case 'rate-limited': {
      const nextAttemptAt = new Date(app.now().getTime() + answer.retryAfterMs)
      await returnBatch(app.store, batch, {
        refused: true,
        reason: 'the provider asked to wait',
        nextAttemptAt,
      })
      return { kind: 'rate-limited', ms: answer.retryAfterMs }
    }
    case 'stopped':
      log.error(
        { reason: answer.reason },
        'the provider refuses everything: the edition is paused; fix it, then `edition resume`',
      )
      await pauseEdition(app.store, batch.editionId, answer.reason, app.now())
      await returnBatch(app.store, batch, { refused: true, reason: answer.reason, nextAttemptAt: null })
      return { kind: 'paused', reason: answer.reason }
    case 'conflict':
      log.error({ reason: answer.reason }, 'the key was used with other bytes: the batch is unknown')
      await markUnknown(app.store, batch.id, answer.reason)
      return { kind: 'closed', reason: 'unknown' }
  }
}

// Start one batch per turn of the event loop, so that pages are served in between.
async function yieldToLoop(memory: Memory): Promise<void> {
  memory.lastYield = memory.lastYield.then(() => setImmediate())
  await memory.lastYield
}

const outlived = (app: App, firstAttemptAt: number): boolean => firstAttemptAt < keyTrustEnd(app.now())

type Accepted = Extract<SubmitAnswer, { kind: 'accepted' }>

async function recordAccepted(
  app: App,
  batch: Batch,
  frozen: Frozen,
  results: Accepted['results'],
  log: App['log'],
): Promise<SubmitOutcome> {
  const receipts = frozen.deliveries.map(({ id, covered }, index) => ({
    deliveryId: id,
    covered,
    ...(results[index] ?? { refused: 'Resend did not answer for this one' }),
  }))
  await recordSubmission(app.store, batch, receipts, app.now())
  failpoint('after-record')
  const refused = receipts.filter((receipt) => 'refused' in receipt).length
  log.info({ submitted: receipts.length - refused, failed: refused }, 'batch submitted')
  return { kind: 'submitted', accepted: receipts.length - refused, refused }
}

async function finish(app: App, editionId: string): Promise<void> {
  if (await finishEdition(app.store, editionId, app.now()))
    app.log.info({ edition: editionId }, 'edition submitted')
}

/** When to try again: from 2 s, doubling up to 5 min, plus up to a quarter so that processes do not return at once. */
export function retryAt(app: Pick<App, 'now'>, batch: { attempts: number }): Date {
  const wait = Math.min(1000 * 2 ** Math.min(batch.attempts, 20), waitOf('retry', LONGEST_WAIT_MS))
  return new Date(app.now().getTime() + wait * (1 + Math.random() / 4))
}

async function followLimit(app: App, memory: Memory, perSecond: number | null): Promise<void> {
  if (
    app.config.RESEND_REQUESTS_PER_SECOND !== 'auto' ||
    perSecond === null ||
    perSecond === memory.perSecond
  )
    return
  memory.perSecond = perSecond
  await app.queue.limitRate(perSecond)
}
