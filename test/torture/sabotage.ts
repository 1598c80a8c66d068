import type { Sabotage } from './scenario.ts'

const AFTER_SUBMIT = 'after-submit, one worker'

/** Each guard that can be taken out, and what must notice. */
export const sabotages: Sabotage[] = [
  {
    name: 'no-key',
    removes: 'the idempotency key of a request',
    edits: [{ file: 'src/resend/mailer.ts', from: 'idempotencyKey: key,', to: '' }],
    caughtBy: [AFTER_SUBMIT, 'power cut: unsynced commits are lost'],
  },
  {
    name: 'no-claim',
    removes: 'the compare-and-swap that lets one worker take a batch',
    edits: [
      {
        file: 'src/db/ledger/batch-states.ts',
        from: '.where(and(eq(batches.id, id), free, ',
        to: '.where(and(eq(batches.id, id), ',
      },
    ],
    caughtBy: ['the claim alone: a provider that ignores keys'],
  },
  {
    name: 'no-unique-index',
    removes: 'the index that lets a reader stand once in a generation',
    sql: 'drop index deliveries_identity',
    caughtBy: ['the unique index alone: planners without a mark'],
  },
  {
    name: 'get-mutates',
    removes: 'that opening a link changes nothing',
    edits: [
      {
        file: 'src/http/public/preferences/subscription.ts',
        from: '    const self = unsubscribeUrl(app, request.params.token)\n',
        to: `    const self = unsubscribeUrl(app, request.params.token)
    const opened = await readerIn(app, request, reply)
    if (opened !== null) await unsubscribe(app, opened)
`,
      },
    ],
    caughtBy: ['a scanner opens every link'],
  },
  {
    name: 'no-freeze',
    removes: 'the frozen content: a retry looks at the world afresh',
    edits: [
      {
        file: 'src/actions/editions/submit.ts',
        from: `async function contentOf(
  app: App,
  memory: Memory,
  batch: Batch,
  edition: Edition,
): Promise<Frozen | SubmitOutcome> {`,
        to: `async function contentOf(
  app: App,
  memory: Memory,
  batch: Batch,
  edition: Edition,
): Promise<Frozen | SubmitOutcome> {
  if (batch.firstAttemptAt !== null)
    return (await freeze(app, memory, batch, edition)) ?? { kind: 'closed', reason: 'nobody-left' }`,
      },
      {
        file: 'src/db/ledger/batch-states.ts',
        from: '            or(isNull(batches.firstAttemptAt), isNull(batches.bodyHash)),\n',
        to: '',
      },
    ],
    caughtBy: [AFTER_SUBMIT],
  },
  {
    name: 'no-transaction',
    removes: 'that freezing is all or nothing',
    edits: [
      {
        file: 'src/db/ledger/batch-states.ts',
        from: '      const { templateHash, offersHash, bodyHash } = freeze\n',
        to: "      const { templateHash, offersHash, bodyHash } = freeze\n      db.$client.exec('commit; begin immediate')\n",
      },
      {
        file: 'src/db/ledger/batch-states.ts',
        from: '      keepContents(tx, freeze)\n',
        to: "      db.$client.exec('commit; begin immediate')\n      keepContents(tx, freeze)\n",
      },
    ],
    caughtBy: ['before-freeze, one worker'],
  },
  {
    name: 'no-takeover',
    removes: 'that batches whose holder is dead are enqueued',
    edits: [
      {
        file: 'src/actions/editions/enqueue.ts',
        from: "batch.state === 'planned' || isStale(",
        to: "batch.state === 'planned' || false && isStale(",
      },
    ],
    caughtBy: ['the sweep alone: killed, and Redis emptied'],
  },
  {
    name: 'no-sweep',
    removes: 'that what the ledger owes is enqueued',
    edits: [
      {
        file: 'src/actions/editions/enqueue.ts',
        from: "if (!(await owesAnything(app.db))) return 'nothing'",
        to: "return 'nothing'",
      },
    ],
    caughtBy: ['the sweep alone: killed, and Redis emptied'],
  },
]
