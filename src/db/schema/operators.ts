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
  },
  (t) => [index('sign_ins_operator').on(t.operatorId)],
)
