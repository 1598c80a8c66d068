import { check, index, integer, primaryKey, sql, sqliteTable, text } from '../drizzle.ts'
import { topics } from './sessions.ts'

// Instants are integers, milliseconds UTC. Triggers refuse what cannot be read (drizzle/0007), and clear what is left of
// someone who is deleted (0012).

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
    /** Every session with a lower or equal `seq` was shown, unless subscriber_topics says otherwise. */
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
    /** Editions in a row whose email bounced for a passing reason; five suppress the address. */
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

/** Emails that anyone could have asked for, by the keyed hash of the address; kept while they count toward a limit. */
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

/** Addresses whose holder wants no email that someone else can cause; as keyed hashes. */
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
