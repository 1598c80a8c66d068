import { check, index, integer, primaryKey, sql, sqliteTable, text, unique } from '../drizzle.ts'
import { operators } from './operators.ts'
import { addressChanges, subscribers } from './people.ts'

// Instants are integers, milliseconds UTC. States: db/ledger/README.md.

/** The states of a batch or a notice that is still owed, as SQL: SQLite takes a partial index only for its own words. */
export const UNFINISHED = "('planned','submitting')"

export const editions = sqliteTable('editions', {
  /** The local date of its slot, `2026-11-23`. */
  id: text().primaryKey(),
  scheduledFor: integer('scheduled_for').notNull(),
  state: text({ enum: ['planning', 'submitting', 'submitted', 'cancelled'] }).notNull(),
  throughSeq: integer('through_seq').notNull(),
  /** Subscribers up to this id are planned; a killed planner goes on from here. */
  plannedThrough: integer('planned_through').notNull().default(0),
  audienceThrough: integer('audience_through').notNull(),
  pausedAt: integer('paused_at'),
  pauseReason: text('pause_reason'),
  createdAt: integer('created_at').notNull(),
  plannedAt: integer('planned_at'),
  finishedAt: integer('finished_at'),
  /** What the provider reported of this edition; the breaker looks at them. */
  bounced: integer().notNull().default(0),
  complained: integer().notNull().default(0),
  /** An operator resumed it after the breaker had paused it, and answers for what follows. */
  breakerOff: integer('breaker_off', { mode: 'boolean' }).notNull().default(false),
  /** How many of its batches go first; null: it has no first wave. */
  waveBatches: integer('wave_batches'),
  /** When the rest was let go. */
  wavePassedAt: integer('wave_passed_at'),
  /** When retention began to remove who was sent what. Its sums stay. */
  prunedAt: integer('pruned_at'),
})

/**
 * What is known of an edition before it is planned: what the review of it found, and what operators said. Gone when the
 * retention of its edition is over.
 */
export const reviews = sqliteTable('reviews', {
  editionId: text('edition_id').primaryKey(),
  scheduledFor: integer('scheduled_for').notNull(),
  /** Rises with every change, so that what was decided on the row before holds no more. */
  stamp: integer().notNull().default(0),
  /** Who is looking at it, and since when; a claim as that of a batch. */
  claimedBy: text('claimed_by'),
  claimedAt: integer('claimed_at'),
  /** When it was last looked at, and at which version of the sessions; null: it was not yet. */
  reviewedAt: integer('reviewed_at'),
  sessionsVersion: integer('sessions_version'),
  /** JSON, see `core/review/flags.ts`. */
  flags: text().notNull().default('[]'),
  /** What the booking links answered, JSON by link: each is asked once. */
  answers: text().notNull().default('{}'),
  /** Whom it would reach and with how many sessions, JSON, and when that was counted. */
  counts: text(),
  countedAt: integer('counted_at'),
  /** What operators were told would happen if they do nothing. */
  told: text({ enum: ['goes', 'waits'] }),
  heldAt: integer('held_at'),
  approvedAt: integer('approved_at'),
  /** The keys of the flags that whoever approved it saw, JSON. */
  approvedFlags: text('approved_flags'),
  /** When its edition was begun; from then on nothing here counts. */
  plannedAt: integer('planned_at'),
  /** When it had waited too long, and its news was left to the next. */
  lapsedAt: integer('lapsed_at'),
})

/** What the edition offers: the sessions bookable when it was planned. */
export const editionSessions = sqliteTable(
  'edition_sessions',
  {
    editionId: text('edition_id')
      .notNull()
      .references(() => editions.id),
    sessionId: integer('session_id').notNull(),
    seq: integer().notNull(),
    snapshot: text().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.editionId, t.sessionId] }),
    index('edition_sessions_session').on(t.sessionId, t.editionId),
  ],
)

/** What batches were frozen with, templates and offers, each stored once by the hash of its content. */
export const frozenContents = sqliteTable('frozen_contents', {
  hash: text().primaryKey(),
  kind: text({ enum: ['digest', 'offers'] }).notNull(),
  content: text().notNull(),
})

export const batches = sqliteTable(
  'batches',
  {
    id: integer().primaryKey(),
    editionId: text('edition_id')
      .notNull()
      .references(() => editions.id),
    generation: integer().notNull(),
    number: integer().notNull(),
    /** The provider's idempotency key. */
    key: text().notNull().unique(),
    state: text({ enum: ['planned', 'submitting', 'submitted', 'unknown', 'cancelled'] }).notNull(),
    size: integer().notNull(),
    /** A resend that shows readers what they were shown before. */
    again: integer({ mode: 'boolean' }).notNull().default(false),
    /** A resend that corrects this one session. */
    corrects: integer(),
    attempts: integer().notNull().default(0),
    claimedAt: integer('claimed_at'),
    /** The name of a process: where that has certainly ended, its claim is stale at once. */
    claimedBy: text('claimed_by'),
    nextAttemptAt: integer('next_attempt_at'),
    /**
     * Set when the content is frozen, before the first request; cleared when the provider definitely refused it. In a
     * released copy it is when the copy was taken, as the batch may have been submitted since.
     * While it is set the email may have been accepted: retries must send the same bytes, for 23 h at most.
     */
    firstAttemptAt: integer('first_attempt_at'),
    templateHash: text('template_hash'),
    offersHash: text('offers_hash'),
    bodyHash: text('body_hash'),
    reason: text(),
    submittedAt: integer('submitted_at'),
  },
  (t) => [
    unique('batches_number').on(t.editionId, t.generation, t.number),
    index('batches_unfinished')
      .on(t.state, t.editionId)
      .where(sql.raw(`state in ${UNFINISHED}`)),
  ],
)

export const deliveries = sqliteTable(
  'deliveries',
  {
    id: integer().primaryKey(),
    editionId: text('edition_id')
      .notNull()
      .references(() => editions.id),
    /** Null once the subscriber was erased. */
    subscriberId: integer('subscriber_id').references(() => subscribers.id, { onDelete: 'set null' }),
    generation: integer().notNull(),
    batchId: integer('batch_id').references(() => batches.id),
    state: text({ enum: ['waiting', 'submitted', 'excluded', 'failed', 'unknown'] }).notNull(),
    reason: text(),
    /** What the reader had seen when this was planned: a resend to everyone shows the same again. */
    seenThrough: integer('seen_through').notNull().default(0),
    /** The reader as the email was made for them, JSON; there only from the first claim to the outcome. */
    frozen: text(),
    /** The ids of the sessions that the email shows, `12,15`; null in rows of earlier releases. */
    shown: text(),
    providerId: text('provider_id'),
    /** The furthest that the provider's reports have taken it; never goes back. */
    report: text({ enum: ['sent', 'delayed', 'delivered', 'bounced', 'complained', 'suppressed', 'failed'] }),
    reportedAt: integer('reported_at'),
  },
  (t) => [
    unique('deliveries_identity').on(t.subscriberId, t.editionId, t.generation),
    index('deliveries_batch').on(t.batchId).where(sql`batch_id is not null`),
    index('deliveries_troubled').on(t.editionId).where(sql`state in ('failed','unknown')`),
    index('deliveries_provider').on(t.providerId).where(sql`provider_id is not null`),
    index('deliveries_unbatched').on(t.editionId).where(sql`batch_id is null`),
  ],
)

/** How many deliveries stand where, moved with them (db/ledger/tally.ts), so that `edition show` is instant at a million. */
export const editionTally = sqliteTable(
  'edition_tally',
  {
    editionId: text('edition_id').notNull(),
    generation: integer().notNull(),
    state: text({ enum: ['waiting', 'submitted', 'excluded', 'failed', 'unknown'] }).notNull(),
    /** Of an exclusion; empty for the other states. */
    reason: text().notNull(),
    count: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.editionId, t.generation, t.state, t.reason] })],
)

/**
 * One email to one person outside the editions: please confirm, you are already subscribed. Or to an operator, about a coming
 * edition. Submitted like a batch.
 */
export const notices = sqliteTable(
  'notices',
  {
    id: integer().primaryKey(),
    kind: text({
      enum: [
        'confirm',
        'welcome',
        'already',
        'change-address',
        'address-changed',
        'fresh-data',
        'fresh-forget',
        'fresh-address',
        'fresh-links',
        'review',
        'waits',
      ],
    }).notNull(),
    /** Null in a notice to an operator. */
    subscriberId: integer('subscriber_id').references(() => subscribers.id, { onDelete: 'cascade' }),
    addressChangeId: integer('address_change_id').references(() => addressChanges.id, {
      onDelete: 'cascade',
    }),
    /** The provider's idempotency key. */
    key: text().notNull().unique(),
    state: text({ enum: ['planned', 'submitting', 'submitted', 'dropped', 'failed', 'unknown'] }).notNull(),
    attempts: integer().notNull().default(0),
    claimedAt: integer('claimed_at'),
    claimedBy: text('claimed_by'),
    nextAttemptAt: integer('next_attempt_at'),
    firstAttemptAt: integer('first_attempt_at'),
    /** The request as it was first made; there only from the first attempt to the outcome. */
    body: text(),
    reason: text(),
    providerId: text('provider_id'),
    createdAt: integer('created_at').notNull(),
    submittedAt: integer('submitted_at'),
    /** The sign-up form that this confirms, JSON; nothing of it counts before. */
    form: text(),
    /** When its link was used, for a link that works once. */
    usedAt: integer('used_at'),
    /** Null in a notice to a subscriber. */
    operatorId: integer('operator_id').references(() => operators.id, { onDelete: 'cascade' }),
    /** The coming edition that an operator hears of. */
    editionId: text('edition_id'),
  },
  (t) => [
    unique('notices_review').on(t.operatorId, t.editionId, t.kind),
    check('notices_reader', sql`(${t.subscriberId} is null) <> (${t.operatorId} is null)`),
    index('notices_subscriber').on(t.subscriberId, t.createdAt),
    index('notices_created').on(t.createdAt),
    index('notices_unfinished')
      .on(t.state)
      .where(sql.raw(`state in ${UNFINISHED}`)),
  ],
)

/** What the provider reported, reduced to what is needed; `svix_id` makes a repeat harmless. */
export const providerEvents = sqliteTable(
  'provider_events',
  {
    svixId: text('svix_id').primaryKey(),
    type: text().notNull(),
    deliveryId: integer('delivery_id'),
    at: integer().notNull(),
    receivedAt: integer('received_at').notNull(),
    detail: text(),
  },
  (t) => [
    index('provider_events_delivery').on(t.deliveryId).where(sql`delivery_id is not null`),
    index('provider_events_received').on(t.receivedAt),
  ],
)

/** Rows that are still owed. */
export const unfinished = ({ state }: typeof batches | typeof notices) =>
  sql`${state} in ${sql.raw(UNFINISHED)}`
