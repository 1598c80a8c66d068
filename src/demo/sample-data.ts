import type { ImportResult } from '../actions/imports/records.ts'
import { importSessions } from '../actions/imports/sessions.ts'
import { importSubscribers } from '../actions/imports/subscribers.ts'
import type { Installation } from '../app.ts'
import { slotAtOrBefore } from '../core/time/calendar.ts'
import { hashEmail } from '../core/tokens.ts'
import { eq } from '../db/drizzle.ts'
import { subscribers, suppressions } from '../db/schema/people.ts'
import { sessions } from '../db/schema/sessions.ts'
import { openSessions } from '../db/sessions/sessions.ts'
import { type SampleKind, type SampleReader, sampleReaders } from './sample-readers.ts'
import { BOOKINGS, sampleSessions } from './sample-sessions.ts'

/**
 * Fills an empty database with an invented practice as of `now()`: last week's sessions, which its readers have seen, then
 * this week's changes. The same clock gives the same data, except for the random public ids. `bookings` is where the
 * practice takes reservations.
 */
export async function addSampleData(installation: Installation, bookings: string): Promise<void> {
  const now = installation.now()
  const { lastWeek, thisWeek } = sampleSessions(now)
  taken(await importSessions(installation, asFile(lastWeek), { skipInvalid: false }))
  const { throughSeq } = await openSessions(installation.store, now)

  const readers = sampleReaders()
  const rows = readers.map(({ email, name, timeZone, topics, locale }) => ({
    email,
    name,
    time_zone: timeZone,
    topics,
    locale,
  }))
  const consent = 'Ticked "email me new group times" when they asked about a group'
  taken(await importSubscribers(installation, asFile(rows), { consent, skipInvalid: false }))
  await setKinds(installation, readers, throughSeq)

  taken(await importSessions(installation, asFile(thisWeek), { skipInvalid: false }))
  await bookAt(installation, bookings)
}

/** Moves the booking pages to this machine. An import takes only https, which a page here has no certificate for. */
async function bookAt({ store }: Installation, bookings: string): Promise<void> {
  await store.write(async (tx) => {
    for (const { id, url } of await tx
      .select({ id: sessions.id, url: sessions.bookingUrl })
      .from(sessions)
      .all())
      await tx
        .update(sessions)
        .set({ bookingUrl: url.replace(BOOKINGS, bookings) })
        .where(eq(sessions.id, id))
        .run()
  })
}

/** Sets what an import cannot. */
async function setKinds(
  { store, hashKey, config, now }: Installation,
  readers: readonly SampleReader[],
  seenThrough: number,
): Promise<void> {
  const at = now().getTime()
  const thisSlot = slotAtOrBefore(config.slotRule, now())
  const lastSlot = slotAtOrBefore(config.slotRule, new Date(thisSlot.at.getTime() - 1))
  const changes: Record<SampleKind, Partial<typeof subscribers.$inferInsert>> = {
    regular: {},
    joined: { seenThrough: 0 },
    unsubscribed: { status: 'unsubscribed', unsubscribedAt: at - 9 * DAY_MS },
    pending: { status: 'pending', consentedAt: null, seenThrough: 0 },
    paused: { pausedUntil: at + 21 * DAY_MS },
    monthly: { cadence: 'monthly', lastEditionId: lastSlot.editionId },
    bounced: {},
  }
  await store.write(async (tx) => {
    for (const { email, kind, discreet } of readers) {
      const emailHash = hashEmail(hashKey, email)
      const values = { seenThrough, discreet, ...changes[kind] }
      await tx.update(subscribers).set(values).where(eq(subscribers.emailHash, emailHash)).run()
      if (kind === 'bounced')
        await tx
          .insert(suppressions)
          .values({ emailHash, reason: 'bounce', createdAt: at - 2 * DAY_MS })
          .run()
    }
  })
}

async function* asFile(rows: readonly object[]): AsyncGenerator<string> {
  yield JSON.stringify(rows)
}

function taken({ kind, report }: ImportResult): void {
  const [first] = report.rejected
  if (kind === 'refused' || first)
    throw new Error(`the sample data has a fault: ${first?.field} ${first?.message}`)
}

const DAY_MS = 86_400_000
