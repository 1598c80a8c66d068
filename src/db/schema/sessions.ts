import { check, index, integer, primaryKey, sql, sqliteTable, text, unique } from '../drizzle.ts'

// Instants are integers, milliseconds UTC. Local times are text, `2026-12-01T19:00`, beside their IANA zone. Triggers
// (drizzle/0001, 0007, 0011, 0013, 0016, 0021) keep `seq`, `news`, `revision` and `version`, and refuse what cannot be read, so that
// plain SQL from another program counts too. `session_change` and `replaced_parents` are theirs alone.

export const topics = sqliteTable('topics', {
  id: integer().primaryKey(),
  slug: text().notNull().unique(),
  name: text().notNull(),
  /** What it is called in other languages: a JSON object by BCP 47 primary tag, `{"es":"Ansiedad"}`. */
  names: text().notNull().default('{}'),
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
    /** One sentence for readers: who it is for, and what happens. Null = not said, as in all of these. */
    summary: text(),
    /** Its page on the practice's website. */
    url: text(),
    /** What is spoken in it: a BCP 47 primary tag, `es`. */
    language: text(),
    /** Online, or where it meets. */
    place: text(),
    /** What it costs, as one line of text. */
    price: text(),
    /** Rises with every change; kept by triggers. */
    version: integer().notNull().default(0),
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
    /** Rises with every change of what people write, and when it is deleted and inserted; kept by triggers. */
    version: integer().notNull().default(0),
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
  /** It closed while an edition went out, and has not reopened since: some of the readers never saw it. */
  passed: integer({ mode: 'boolean' }).notNull().default(false),
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
    /** The times were corrected quietly: it is not certain which ones its readers saw. */
    quiet: integer({ mode: 'boolean' }).notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.sessionId, t.seq] })],
)

/** Sessions whose next change is a quiet correction. A row lives within one transaction: others never see it. */
export const quietChanges = sqliteTable(
  'quiet_changes',
  { sessionId: integer('session_id').notNull() },
  (t) => [primaryKey({ columns: [t.sessionId] })],
)

/** Seats that someone added by hand (below 0: took) and that do not count before `due_at`. */
export const seatChanges = sqliteTable(
  'seat_changes',
  {
    sessionId: integer('session_id').notNull(),
    seats: integer().notNull(),
    /** An `Actor`, JSON. */
    changedBy: text('changed_by').notNull(),
    dueAt: integer('due_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.sessionId] })],
)

/**
 * `seq`: the last one given out (max(seq) would fall when a session is deleted).
 * `sessions_version`: rises with every change to sessions, groups or topics, so that readers of them may cache.
 */
export const counters = sqliteTable('counters', {
  name: text().primaryKey(),
  value: integer().notNull(),
})

/** Files of sessions that operators looked at or brought in. A file is kept until then, for a day at most. */
export const sessionImports = sqliteTable(
  'session_imports',
  {
    id: integer().primaryKey(),
    createdAt: integer('created_at').notNull(),
    /** `operator:7`. */
    createdBy: text('created_by').notNull(),
    /** SHA-256 of the file, in base64url. */
    hash: text().notNull(),
    /** The file in base64; null once it was brought in. */
    content: text(),
    importedAt: integer('imported_at'),
    undoneAt: integer('undone_at'),
    /** JSON: how many sessions it added, changed, and left as they were. */
    counts: text(),
    /** JSON: how things were before, as long as it can be undone. */
    before: text(),
  },
  (t) => [index('session_imports_created').on(t.createdAt)],
)
