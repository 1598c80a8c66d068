import type { Mutant } from './points.ts'

/** A mutant that no test can notice, or need not. `source` is a piece of the line it starts on. */
type Argued = { file: string; source: string; change: string; reason: string }

const ARGUED: Argued[] = [
  {
    file: 'src/actions/subscribers/join.ts',
    source: 'asked?.at.getTime() ?? 0',
    change: '0 → 1',
    reason: 'without a token the answer is null at any age',
  },
  {
    file: 'src/core/tokens.ts',
    source: 'publicId === undefined',
    change: 'publicId === undefined → false',
    reason: 'it is there for the type: no signature equals that of nobody',
  },
  {
    file: 'src/db/sqlite/migrations.ts',
    source: 'version(file) >= 0',
    change: '>= → >',
    reason: 'a copy is made after the first migration, so none has the number 0',
  },
  {
    file: 'src/db/ledger/editions.ts',
    source: "row.state === 'submitted' || row.state === 'cancelled'",
    change: '|| → &&',
    reason: 'what ends an edition also ends its pause; this guards against plain SQL',
  },
  {
    file: 'src/db/ledger/reports.ts',
    source: "eq(providerEvents.type, 'email.bounced')",
    change: "eq(providerEvents.type, 'email.bounced'), → nothing",
    reason: 'only the detail of a bounce begins with the word that is asked for beside it',
  },
  {
    file: 'src/actions/editions/enqueue.ts',
    source: '{ once: true }',
    change: 'true → false',
    reason: 'a second wake-up for a notice is dropped, because its claim is the guard',
  },
  {
    file: 'src/actions/subscribers/join.ts',
    source: "installationFact(store, 'forgot_pending')",
    change: "(await installationFact(store, 'forgot_pending')) === today → false",
    reason: 'it would look each minute instead of each day, and find nothing',
  },
  {
    file: 'src/actions/editions/freeze.ts',
    source: 'if (known) return known',
    change: 'known → false',
    reason: 'a composer made anew makes the same bytes, only slower',
  },
  {
    file: 'src/db/people/sign-ups.ts',
    source: 'subscriber.unsubscribedAt ?? 0',
    change: 'subscriber.unsubscribedAt ?? 0 → (subscriber.unsubscribedAt)',
    reason: 'JavaScript compares a number with null as with 0',
  },
  {
    file: 'src/db/ledger/delivery-states.ts',
    source: 'ended.length === 0',
    change: 'ended.length === 0 → false',
    reason: 'it would run an update that changes no row',
  },
  {
    file: 'src/db/ledger/batches.ts',
    source: 'and exists (select 1 from batches b where b.state in',
    change: 'and → or',
    reason: 'it would ask the ledger more often, and find nothing to claim',
  },
  {
    file: 'src/db/people/topic-rows.ts',
    source: 'gt(subscriberId, afterId)',
    change: 'gt(subscriberId, afterId), → nothing',
    reason: 'it would read rows that no one looks up: slower, and the same',
  },
  {
    file: 'src/actions/subscribers/preferences.ts',
    source: ".locale ?? 'en'",
    change:
      "(await findByPublicId(app.store, publicId))?.locale ?? 'en' → ((await findByPublicId(app.store, publicId))?.locale)",
    reason: 'without a subscriber nothing is stored, whatever the language',
  },
  {
    file: 'src/db/sqlite/migrations.ts',
    source: 'else migrate(sqlite, known)',
    change: 'migrate(sqlite, known) → nothing',
    reason: 'it runs only while torture has switched a guard off',
  },
  {
    file: 'src/actions/imports/records.ts',
    source: 'chunk.length >= CHUNK',
    change: 'chunk.length >= CHUNK → false',
    reason:
      'the rows would be taken in one piece at the end: more memory, which the bench measures, and the same report',
  },
  {
    file: 'src/actions/retention/prune.ts',
    source: 'if (removed > 0)',
    change: '0 → 1',
    reason: 'a line of the log, when a single row was removed',
  },
  {
    file: 'src/actions/subscribers/notices.ts',
    source: "reason: drop ?? ''",
    change: "drop ?? '' → (drop)",
    reason: 'it is there for the type: without a body there is a reason',
  },
  {
    file: 'src/core/mail/notice.ts',
    source: "facts.notMeUrl ?? ''",
    change: "facts.notMeUrl ?? '' → (facts.notMeUrl)",
    reason: 'the template treats a missing link like an empty one',
  },
  {
    file: 'src/actions/editions/enqueue.ts',
    source: "batches.length + notices.length > 0 ? 'soon' : 'later'",
    change: 'batches.length + notices.length > 0 → true',
    reason: 'the worker would look again sooner, and find nothing',
  },
  {
    file: 'src/actions/editions/submit.ts',
    source: "claim.state !== 'submitting' || claim.claimedBy === null",
    change: '|| → &&',
    reason: 'a batch has a claim exactly while it is submitting',
  },
  {
    file: 'src/core/intake/preferences.ts',
    source: 'chosen.filter((id) => id !== undefined)',
    change: '.filter((id) => id !== undefined) → nothing',
    reason: 'it is there for the type: a choice that is not offered was refused before',
  },
  {
    file: 'src/db/ledger/tally.ts',
    source: "(reason ?? '')",
    change: "reason ?? '' → (reason)",
    reason: 'it is there for the type: who is excluded has a reason',
  },
  {
    file: 'src/db/people/topic-rows.ts',
    source: 'if (rows.length > 0)',
    change: 'rows.length > 0 → true',
    reason: 'it would insert no rows',
  },
  {
    file: 'src/db/sqlite/connections.ts',
    source: 'kept.set(text, statement)',
    change: 'kept.set(text, statement) → nothing',
    reason: 'each statement would be prepared anew: slower, and the same',
  },
  {
    file: 'src/core/text/wrap.ts',
    source: 'const GREETING = 12',
    change: '12 → 13',
    reason: 'a very long name would be folded one column earlier',
  },
  {
    file: 'src/db/ledger/delivery-states.ts',
    source: 'readerOf.get(receipt.deliveryId) ?? null',
    change: 'readerOf.get(receipt.deliveryId) ?? null → (readerOf.get(receipt.deliveryId))',
    reason: 'it is there for the type: the deliveries of a batch under way are never removed',
  },
  {
    file: 'src/db/ledger/reports.ts',
    source: 'mail.providerId === null',
    change: 'mail.providerId === null → false',
    reason: 'in SQL nothing equals null, so the query would find no notice either',
  },
  {
    file: 'src/db/sqlite/facts.ts',
    source: '(value as string | undefined) ?? null',
    change: '(value as string | undefined) ?? null → ((value as string | undefined))',
    reason: 'who reads it only compares it with a text',
  },
  {
    file: 'src/actions/subscribers/consent.ts',
    source: '(unsubscribedAt ?? 0) <= UNDO_MS',
    change: 'unsubscribedAt ?? 0 → (unsubscribedAt)',
    reason: 'JavaScript subtracts null like 0',
  },
  {
    file: 'src/db/people/notices.ts',
    source: 'randomBytes(12)',
    change: '12 → 13',
    reason: 'a random name that is longer is as good',
  },
  {
    file: 'src/db/sqlite/open.ts',
    source: 'accessSync(dirname(path), constants.W_OK)',
    change: 'accessSync(dirname(path), constants.W_OK) → nothing',
    reason: 'tests may run as root, who may write everywhere; SQLite refuses such a folder in its own words',
  },
  {
    file: 'src/db/ledger/verdicts.ts',
    source: '{ durable: false }',
    change: 'false → true',
    reason: 'planning would wait for the disk after each step: slower, and as safe',
  },
  {
    file: 'src/actions/provider/record-event.ts',
    source: "recorded.kind === 'stored' && edition !== null",
    change: '&& → ||',
    reason: 'a report of no edition stops none',
  },
  {
    file: 'src/db/people/sign-ups.ts',
    source: 'dueAt?.getTime() ?? null',
    change: 'dueAt?.getTime() ?? null → (dueAt?.getTime())',
    reason: 'a missing value is stored as null',
  },
  {
    file: 'src/actions/subscribers/join.ts',
    source: "establishFact(store, 'forgot_pending', 'never')",
    change: "await establishFact(store, 'forgot_pending', 'never') → nothing",
    reason: 'it would look each minute instead of each day, and find nothing',
  },
  {
    file: 'src/db/restore/epoch.ts',
    source: 'Math.max(epoch?.number ?? 0, beside?.epoch ?? 0, published ?? 0)',
    change: '0 → 1',
    reason: 'an epoch begins at 1, and a release skips far ahead of it',
  },
]

/** Why nothing noticing this mutant is in order; undefined if nobody has argued that. */
export function reasonFor(mutant: Pick<Mutant, 'file' | 'source' | 'change'>): string | undefined {
  return ARGUED.find(
    ({ file, source, change }) =>
      mutant.file === file && mutant.change === change && mutant.source.includes(source),
  )?.reason
}
