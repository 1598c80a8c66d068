import { index, integer, sqliteTable, text } from '../drizzle.ts'

/** Facts about this installation: when it first started, and the wrapped key that addresses are hashed with. */
export const installation = sqliteTable('installation', {
  name: text().primaryKey(),
  value: text().notNull(),
})

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
