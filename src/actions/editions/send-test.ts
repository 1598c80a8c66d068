import { randomBytes } from 'node:crypto'
import type { App } from '../../app.ts'
import { BadInput } from '../../core/errors.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import type { Email } from '../../core/mail/digest.ts'
import { batchBody, requestJson } from '../../core/mail/request.ts'
import { recordOf } from '../../db/audit.ts'
import { findSuppression } from '../../db/people/suppressions.ts'
import { keyOf } from '../subscribers/consent.ts'
import { comingSlot } from './coming.ts'
import { previewEdition, type ReaderMail } from './preview.ts'
import { previewInvented } from './preview-one.ts'

type Needs = Pick<App, 'store' | 'config' | 'hashKey' | 'now' | 'templates' | 'mailer'>

export type TestOutcome =
  | { kind: 'submitted'; edition: string; subject: string; providerId: string }
  /** No one would get an email now, so there is nothing to send. */
  | { kind: 'nobody' }
  | { kind: 'not-submitted'; reason: string }

/**
 * Submits one copy of what would go out now, marked "[Test]", to an operator's own address. It has its own idempotency key,
 * and leaves no trace in the ledger; its personal links do nothing. `reader` is one of the kinds of a preview. Throws
 * `BadInput` if `to` is not an address, or is one that we must never email.
 */
export async function testEdition(
  app: Needs,
  { to, reader }: { to: string; reader: ReaderMail['reader'] },
): Promise<TestOutcome> {
  const address = normalizeEmail(to)
  if ('problem' in address) throw new BadInput(`--to: the address ${address.problem}`)
  if ((await findSuppression(app.store, keyOf(app.hashKey, address.email))) !== null)
    throw new BadInput('--to: this address is suppressed and must get no email; use another')
  const { edition, readers } = await previewEdition(app, { readers: true })
  const found = readers.find((one) => one.reader === reader)
  if (!found) return { kind: 'nobody' }
  return submitCopy(app, { to: address.email, edition: edition.id, email: found.email })
}

/**
 * `testEdition` to the operator's own address, of an invented reader. Costs the same
 * for a list of any size.
 */
export async function testToOneself(
  app: Needs & Pick<App, 'actor'>,
  { to, reader }: { to: string; reader: ReaderMail['reader'] },
): Promise<TestOutcome> {
  const previewed = await previewInvented(app, reader)
  if (previewed.kind !== 'mail') return { kind: 'nobody' }
  if ((await findSuppression(app.store, keyOf(app.hashKey, to))) !== null)
    return { kind: 'not-submitted', reason: 'your own address is suppressed and must get no email' }
  const edition = (await comingSlot(app)).editionId
  const outcome = await submitCopy(app, { to, edition, email: previewed.email })
  if (outcome.kind === 'submitted')
    await recordOf(app.store, app.now(), { action: 'test copy sent', subject: edition })
  return outcome
}

async function submitCopy(
  app: Needs,
  { to, edition, email: original }: { to: string; edition: string; email: Email },
): Promise<TestOutcome> {
  const email = { ...original, to, subject: `[Test] ${original.subject}` }
  const answer = await app.mailer.submitBatch({
    body: batchBody([[Buffer.from(requestJson(email))]]),
    size: 1,
    key: `openseat/test/${randomBytes(12).toString('base64url')}`,
  })
  if (answer.kind === 'rate-limited')
    return { kind: 'not-submitted', reason: 'Resend is at its limit of requests; try again in a minute' }
  if (answer.kind !== 'accepted') return { kind: 'not-submitted', reason: answer.reason }
  const [result = { refused: 'Resend did not answer for it' }] = answer.results
  if ('refused' in result) return { kind: 'not-submitted', reason: result.refused }
  return { kind: 'submitted', edition, subject: email.subject, providerId: result.id }
}
