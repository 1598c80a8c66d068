import { index, integer, sqliteTable, text } from '../drizzle.ts'

/** Facts about this installation: when it first started, and the wrapped key that addresses are hashed with. */
export const installation = sqliteTable('installation', {
  name: text().primaryKey(),
  value: text().notNull(),
})

/**
 * Who did what. Never holds an address; a subscriber is named by their public id, or `erased`. Triggers keep rows as they
 * are, and db/audit.ts makes the chain.
 */
export const auditLog = sqliteTable(
  'audit_log',
  {
    id: integer().primaryKey(),
    at: integer().notNull(),
    action: text().notNull(),
    subject: text().notNull(),
    detail: text(),
    /** `operator:7`, `command:root`, `system`, `reader`; null in rows of earlier releases, as all below. */
    actor: text(),
    /** Where an operator was, as coarse as a sign-in has it. */
    network: text(),
    /** With it, `digest` can be made from subject and detail; gone with what it says of a reader. */
    salt: text(),
    digest: text(),
    chain: text(),
  },
  (t) => [index('audit_log_at').on(t.at), index('audit_log_subject').on(t.subject)],
)
