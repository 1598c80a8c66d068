import { check, index, integer, primaryKey, sql, sqliteTable, text, unique } from './drizzle.ts'

// Instants are integers, milliseconds UTC. Local times are text, `2026-12-01T19:00`, beside their IANA zone.
// Triggers (drizzle/0001_triggers.sql, 0007) keep `sessions.seq` and `edition_tally`, and refuse what cannot be read, so that
// plain SQL from another program counts too. `session_change` and `replaced_parents` are theirs alone.

/** The states of a batch or a notice that is still owed, as SQL: SQLite takes a partial index only for its own words. */
export const UNFINISHED = "('planned','submitting')"

/** Facts about this installation: when it first started, and the wrapped key that addresses are hashed with. */
export const installation = sqliteTable('installation', {
  name: text().primaryKey(),
  value: text().notNull(),
})

export const topics = sqliteTable('topics', {
  id: integer().primaryKey(),
  slug: text().notNull().unique(),
  name: text().notNull(),
})

export const groups = sqliteTable(
  'groups',
  {
    id: integer().primaryKey(),
    topicId: integer('topic_id')
      .notNull()
      .references(() => topics.id),
    kind: text({ enum: ['therapy', 'skills'] })
      .notNull()
      .default('therapy'),
    title: text().notNull(),
    summary: text(),
    url: text(),
  },
  (t) => [
    unique('groups_identity').on(t.topicId, t.kind, t.title),
    check('groups_kind', sql`${t.kind} in ('therapy','skills')`),
  ],
)

export const sessions = sqliteTable(
  'sessions',
  {
    id: integer().primaryKey(),
    externalId: text('external_id').notNull().unique(),
    groupId: integer('group_id')
      .notNull()
      .references(() => groups.id),
    therapist: text().notNull(),
    startsAtLocal: text('starts_at_local').notNull(),
    timeZone: text('time_zone').notNull(),
    durationMinutes: integer('duration_minutes').notNull().default(90),
    repeats: text({ enum: ['weekly', 'once'] })
      .notNull()
      .default('weekly'),
    /** How many weekly meetings there are in all; null = open-ended. */
    occurrences: integer(),
    seatsTotal: integer('seats_total'),
    /** Null = the booking system does not say. */
    seatsLeft: integer('seats_left'),
    status: text({ enum: ['open', 'full', 'cancelled'] })
      .notNull()
      .default('open'),
    bookingUrl: text('booking_url').notNull(),
    /** Rises each time the session becomes news; kept by triggers. */
    seq: integer().notNull().default(0),
    /** The `seq` it was added with: to a reader who has not seen that one it is new, whatever happened since. */
    addedSeq: integer('added_seq').notNull().default(0),
    news: text({ enum: ['new', 'reopened', 'moved'] })
      .notNull()
      .default('new'),
    newsAt: integer('news_at').notNull().default(0),
    /** Rises with every change that a calendar shows, kept by triggers. RFC 5545 SEQUENCE. */
    revision: integer().notNull().default(0),
    /** When `revision` last rose, or the session was added; rises with it. RFC 5545 DTSTAMP. */
    revisedAt: integer('revised_at').notNull().default(0),
  },
  (t) => [
    index('sessions_seq').on(t.seq),
    check('sessions_status', sql`${t.status} in ('open','full','cancelled')`),
    check('sessions_repeats', sql`${t.repeats} in ('weekly','once')`),
    check('sessions_occurrences', sql`${t.occurrences} is null or ${t.occurrences} > 0`),
    check(
      'sessions_seats',
      sql`${t.seatsLeft} is null or (${t.seatsLeft} >= 0 and (${t.seatsTotal} is null or ${t.seatsLeft} <= ${t.seatsTotal}))`,
    ),
  ],
)

/** The names that `time_zone` columns may hold; `db/time-zones.ts` fills it. */
export const timeZones = sqliteTable('time_zones', { name: text().primaryKey() })

/** Each `external_id` that ever was: its id, and how its session last stood. Kept by triggers; it outlives the row. */
export const knownSessions = sqliteTable('known_sessions', {
  externalId: text('external_id').primaryKey(),
  sessionId: integer('session_id').notNull().unique('known_sessions_id'),
  open: integer({ mode: 'boolean' }).notNull(),
  /** The local date on which a finite series meets last. */
  lastDate: text('last_date'),
  /** What a calendar shows of it. */
  face: text().notNull(),
  seq: integer().notNull(),
  addedSeq: integer('added_seq').notNull(),
  news: text({ enum: ['new', 'reopened', 'moved'] }).notNull(),
  newsAt: integer('news_at').notNull(),
  revision: integer().notNull(),
  revisedAt: integer('revised_at').notNull().default(0),
  /** The newest edition when the row was deleted; null = it is there, or was replaced. */
  goneAfter: text('gone_after'),
})

/** What readers whose mark has reached `seq` know of a session, up to its next row. Kept by triggers; see `news.md`. */
export const sessionHistory = sqliteTable(
  'session_history',
  {
    sessionId: integer('session_id').notNull(),
    seq: integer().notNull(),
    topicId: integer('topic_id'),
    /** Zone, weekday and hour of a series, date and hour of what is once; empty = it is not certain what they saw. */
    times: text().notNull(),
    /** The `seq` it last reopened with. */
    reopened: integer().notNull(),
    news: text({ enum: ['new', 'reopened', 'moved'] }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.sessionId, t.seq] })],
)

/**
 * `seq`: the last one given out (max(seq) would fall when a session is deleted).
 * `sessions_version`: rises with every change to sessions, groups or topics, so that readers of them may cache.
 */
export const counters = sqliteTable('counters', {
  name: text().primaryKey(),
  value: integer().notNull(),
})

export const subscribers = sqliteTable(
  'subscribers',
  {
    id: integer().primaryKey(),
    /** Random; the only name of a subscriber that leaves the database. */
    publicId: text('public_id').notNull().unique(),
    email: text().notNull(),
    emailHash: text('email_hash').notNull().unique(),
    name: text(),
    status: text({ enum: ['pending', 'active', 'unsubscribed'] }).notNull(),
    timeZone: text('time_zone').notNull(),
    locale: text().notNull().default('en'),
    cadence: text({ enum: ['weekly', 'monthly'] })
      .notNull()
      .default('weekly'),
    pausedUntil: integer('paused_until'),
    discreet: integer({ mode: 'boolean' }).notNull().default(false),
    /** Every session with a lower or equal `seq` was told, save where subscriber_topics says otherwise. */
    seenThrough: integer('seen_through').notNull().default(0),
    /** The last edition whose delivery was submitted; the monthly cadence counts from it. */
    lastEditionId: text('last_edition_id'),
    consentText: text('consent_text'),
    consentSource: text('consent_source'),
    consentedAt: integer('consented_at'),
    unsubscribedAt: integer('unsubscribed_at'),
    /** Who ended it; only what a link did can be undone by a link. Null: a complaint, or not known. */
    unsubscribedBy: text('unsubscribed_by', { enum: ['link', 'operator'] }),
    createdAt: integer('created_at').notNull(),
    /** The random part of the private calendar's address; null = there is none. Changing it revokes the old one. */
    calendarKey: text('calendar_key').unique(),
    /** Editions in a row whose mail bounced for a passing reason; five suppress the address. */
    softBounces: integer('soft_bounces').notNull().default(0),
  },
  (t) => [check('subscribers_status', sql`${t.status} in ('pending','active','unsubscribed')`)],
)

/**
 * No row with `chosen` = every topic. `seen_through` overrides the subscriber's own for that topic, so that a
 * topic added later is caught up with; null = the subscriber's own counts.
 */
export const subscriberTopics = sqliteTable(
  'subscriber_topics',
  {
    subscriberId: integer('subscriber_id')
      .notNull()
      .references(() => subscribers.id, { onDelete: 'cascade' }),
    topicId: integer('topic_id')
      .notNull()
      .references(() => topics.id),
    chosen: integer({ mode: 'boolean' }).notNull(),
    seenThrough: integer('seen_through'),
  },
  (t) => [primaryKey({ columns: [t.subscriberId, t.topicId] })],
)

export const suppressions = sqliteTable('suppressions', {
  emailHash: text('email_hash').primaryKey(),
  reason: text({ enum: ['bounce', 'complaint', 'provider', 'erased', 'operator'] }).notNull(),
  /** When this reason came. */
  createdAt: integer('created_at').notNull(),
})

/** Who was erased, whatever else suppresses the address: lifting that must not undo it. */
export const erasures = sqliteTable('erasures', {
  emailHash: text('email_hash').primaryKey(),
  erasedAt: integer('erased_at').notNull(),
})

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
  /** When what it told whom began to be removed, as RETENTION_DAYS says. Its sums stay. */
  prunedAt: integer('pruned_at'),
})

/** What the edition told of: the sessions bookable when it was planned. */
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
  (t) => [primaryKey({ columns: [t.editionId, t.sessionId] })],
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
    /** A resend that tells readers what they were told before. */
    again: integer({ mode: 'boolean' }).notNull().default(false),
    attempts: integer().notNull().default(0),
    claimedAt: integer('claimed_at'),
    /** The name of a process: where that has certainly ended, its claim is stale at once. */
    claimedBy: text('claimed_by'),
    nextAttemptAt: integer('next_attempt_at'),
    /**
     * Set when the content is frozen, before the first request; cleared when the provider definitely refused it. In a
     * released copy it is when the copy was taken, as the batch may have been submitted since.
     * While it is set the mail may have been accepted: retries must send the same bytes, for 23 h at most.
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
    /** What the reader had seen when this was planned: a resend to everyone tells the same again. */
    seenThrough: integer('seen_through').notNull().default(0),
    /** The reader as the mail was made for them, JSON; there only from the first claim to the outcome. */
    frozen: text(),
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

/** How many deliveries stand where; kept by triggers, so that `edition show` is instant at a million. */
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

/** Public ids that a subscriber had before: links with them still unsubscribe, and do nothing else. */
export const formerIds = sqliteTable(
  'former_ids',
  {
    publicId: text('public_id').primaryKey(),
    subscriberId: integer('subscriber_id')
      .notNull()
      .references(() => subscribers.id, { onDelete: 'cascade' }),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [index('former_ids_subscriber').on(t.subscriberId)],
)

/** Emails that anybody could have asked for, by the keyed hash of their target; kept for as long as they count. */
export const requestedEmails = sqliteTable(
  'requested_emails',
  {
    id: integer().primaryKey(),
    emailHash: text('email_hash').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    index('requested_emails_target').on(t.emailHash, t.createdAt),
    index('requested_emails_created').on(t.createdAt),
  ],
)

/** Addresses whose holder wants no email that somebody else can cause; as keyed hashes. */
export const refusals = sqliteTable('refusals', {
  emailHash: text('email_hash').primaryKey(),
  createdAt: integer('created_at').notNull(),
})

/** A new address that a subscriber asked for; once it is confirmed, kept for as long as the old one may undo it. */
export const addressChanges = sqliteTable('address_changes', {
  id: integer().primaryKey(),
  /** Random; what the confirming link carries. */
  publicId: text('public_id').notNull().unique(),
  subscriberId: integer('subscriber_id')
    .notNull()
    .references(() => subscribers.id, { onDelete: 'cascade' }),
  email: text().notNull(),
  emailHash: text('email_hash').notNull(),
  createdAt: integer('created_at').notNull(),
  changedAt: integer('changed_at'),
  /** JSON: the old address and its consent, once it was changed. */
  before: text(),
})

/** The keyed hash of the address that a change replaced; null before, and once it cannot be undone. */
export const earlierHash = sql<
  string | null
>`iif(json_valid(${addressChanges.before}), ${addressChanges.before} ->> '$.emailHash', null)`

/** One mail to one person outside the editions: please confirm, you are already subscribed. Submitted like a batch. */
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
      ],
    }).notNull(),
    subscriberId: integer('subscriber_id')
      .notNull()
      .references(() => subscribers.id, { onDelete: 'cascade' }),
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
  },
  (t) => [
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

/** What operators did. Never holds an address; a subscriber is named by their public id, or `erased`. */
export const auditLog = sqliteTable(
  'audit_log',
  {
    id: integer().primaryKey(),
    at: integer().notNull(),
    action: text().notNull(),
    subject: text().notNull(),
    detail: text(),
  },
  (t) => [index('audit_log_at').on(t.at), index('audit_log_subject').on(t.subject)],
)

/** Rows that are still owed. */
export const unfinished = ({ state }: typeof batches | typeof notices) =>
  sql`${state} in ${sql.raw(UNFINISHED)}`
