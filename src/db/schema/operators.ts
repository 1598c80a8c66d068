import { check, index, integer, sql, sqliteTable, text } from '../drizzle.ts'

// Instants are integers, milliseconds UTC.

/** Who may sign in. The row outlives them, so that the audit log can say who they were. */
export const operators = sqliteTable(
  'operators',
  {
    id: integer().primaryKey(),
    /** In lower case. */
    email: text().notNull().unique(),
    role: text({ enum: ['owner', 'operator', 'editor'] }).notNull(),
    createdAt: integer('created_at').notNull(),
    removedAt: integer('removed_at'),
    /** A PHC string of argon2id; null = no password. */
    passwordHash: text('password_hash'),
    /** The secret of the authenticator app, encrypted under a key from LINK_SECRET. */
    totpSecret: text('totp_secret'),
    /** The step of the last code that was used; no older one counts. */
    totpStep: integer('totp_step').notNull().default(0),
  },
  (t) => [check('operators_role', sql`${t.role} in ('owner','operator','editor')`)],
)

/** Browsers that are signed in; a row that is gone has ended. */
export const signIns = sqliteTable(
  'sign_ins',
  {
    id: integer().primaryKey(),
    operatorId: integer('operator_id')
      .notNull()
      .references(() => operators.id, { onDelete: 'cascade' }),
    /** SHA-256 of the cookie, in base64url. */
    tokenHash: text('token_hash').notNull().unique(),
    createdAt: integer('created_at').notNull(),
    seenAt: integer('seen_at').notNull(),
    /** When they last proved who they are. */
    provenAt: integer('proven_at'),
    network: text().notNull(),
    /** The browser and system, in a few words. */
    device: text().notNull(),
    /** One line for the next page, JSON: what was just done. */
    said: text(),
    /** Set while they have not chosen how to sign in: the offered secret of an app, encrypted. Nothing else is open to them. */
    enrolling: text(),
  },
  (t) => [index('sign_ins_operator').on(t.operatorId)],
)

/** How a device of an operator proves who it is. WebAuthn Level 3, §4 Credential Record. */
export const passkeys = sqliteTable(
  'passkeys',
  {
    /** The credential id, in base64url. */
    id: text().primaryKey(),
    operatorId: integer('operator_id')
      .notNull()
      .references(() => operators.id, { onDelete: 'cascade' }),
    /** COSE, in base64url. */
    publicKey: text('public_key').notNull(),
    counter: integer().notNull(),
    /** JSON: how the browser reaches it. */
    transports: text().notNull(),
    /** The device it was made on, in a few words. */
    name: text().notNull(),
    createdAt: integer('created_at').notNull(),
    usedAt: integer('used_at'),
  },
  (t) => [index('passkeys_operator').on(t.operatorId)],
)

/** Codes for when the phone is lost; each works once. */
export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    codeHash: text('code_hash').primaryKey(),
    operatorId: integer('operator_id')
      .notNull()
      .references(() => operators.id, { onDelete: 'cascade' }),
    createdAt: integer('created_at').notNull(),
    usedAt: integer('used_at'),
  },
  (t) => [index('recovery_codes_operator').on(t.operatorId)],
)

/** Links that let someone choose how to sign in; each works once. */
export const entryLinks = sqliteTable(
  'entry_links',
  {
    tokenHash: text('token_hash').primaryKey(),
    operatorId: integer('operator_id')
      .notNull()
      .references(() => operators.id, { onDelete: 'cascade' }),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    usedAt: integer('used_at'),
  },
  (t) => [index('entry_links_operator').on(t.operatorId)],
)

/** Guesses, by what they count against; kept for a day. */
export const signInTries = sqliteTable(
  'sign_in_tries',
  {
    id: integer().primaryKey(),
    /** A keyed hash of an address or a network. */
    bucket: text().notNull(),
    at: integer().notNull(),
  },
  (t) => [index('sign_in_tries_bucket').on(t.bucket, t.at), index('sign_in_tries_at').on(t.at)],
)

/** What a passkey must sign; each works once, for five minutes. */
export const challenges = sqliteTable(
  'challenges',
  {
    challenge: text().primaryKey(),
    /** For whom a passkey is being made, or who proves again who they are; null while nobody is signed in. */
    operatorId: integer('operator_id'),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [index('challenges_created').on(t.createdAt)],
)
