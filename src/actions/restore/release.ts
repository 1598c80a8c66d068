import type { App, Installation } from '../../app.ts'
import type { Hold } from '../../core/hold.ts'
import { slotAtOrBefore } from '../../core/time/calendar.ts'
import { readEpoch, signEpoch } from '../../core/tokens.ts'
import { keyTrustEnd } from '../../db/ledger/batches.ts'
import { finishEdition } from '../../db/ledger/edition-states.ts'
import { findEdition, unfinishedEditions } from '../../db/ledger/editions.ts'
import { currentHold } from '../../db/restore/epoch.ts'
import { type Owed, owedWhileHeld, type Released, releaseHeld } from '../../db/restore/release.ts'
import { guardOn } from '../../failpoint.ts'
import { demand } from '../operators/acting.ts'

/** What an operator sees before a release. `slot`: the current one, if its edition is not in the database. */
export type HeldState = Owed & {
  hold: Hold
  slot: { editionId: string; at: string } | null
  /** Whether the provider still knows every key that may have been used since the copy was made. */
  keysTrusted: boolean
}

/**
 * `safe`: what is owed ends as unknown, and a slot that may have been sent is recorded as cancelled. `go-on`: the operator
 * knows that nothing was sent since; what is owed is sent under its keys, as long as the provider knows them.
 */
export type ReleaseMode = 'safe' | 'go-on'

/** What a held installation would do once released; null if it is not held. Changes nothing. */
export async function heldState(
  app: Pick<Installation, 'config' | 'store' | 'now'>,
): Promise<HeldState | null> {
  const hold = await currentHold(app.store)
  if (hold === null) return null
  const slot = await unknownSlot(app)
  return {
    hold,
    slot: slot && { editionId: slot.editionId, at: slot.at.toISOString() },
    keysTrusted: (hold.knownThrough ?? 0) >= keyTrustEnd(app.now()),
    ...(await owedWhileHeld(app.store, hold)),
  }
}

/**
 * Releases a held installation, and wakes the sweep. Returns what was marked; null if it was not held. Throws `NotAllowed`
 * or `NeedsProof`.
 */
export async function release(
  app: Pick<App, 'config' | 'store' | 'hashKey' | 'now' | 'queue' | 'actor'>,
  mode: ReleaseMode,
): Promise<Released | null> {
  demand(app, 'installation.release')
  const goOn = mode === 'go-on'
  const now = app.now()
  const released = await releaseHeld(
    app.store,
    {
      trustedSince: goOn ? keyTrustEnd(now) : Number.MAX_SAFE_INTEGER,
      slot: goOn || !guardOn('release-slot') ? null : await unknownSlot(app),
      note: mode,
      published: readEpoch(app.hashKey, await app.queue.publishedEpoch()),
    },
    now,
  )
  if (released === null) return null
  for (const { id } of await unfinishedEditions(app.store)) await finishEdition(app.store, id, now)
  await app.queue.publishEpoch(signEpoch(app.hashKey, released.epoch))
  await app.queue.wakeSweep()
  return released
}

async function unknownSlot({ config, store, now }: Pick<Installation, 'config' | 'store' | 'now'>) {
  const slot = slotAtOrBefore(config.slotRule, now())
  return (await findEdition(store, slot.editionId)) === null ? slot : null
}
