import type { Email } from '../../src/core/mail/digest.ts'
import { loadTemplates, type Templates } from '../../src/templates/load.ts'
import { compileInTest } from '../mjml.ts'
import type { Finding } from './finding.ts'
import { type Ingredients, typical } from './ingredients.ts'
import { type Kind, type Mail, messageOf } from './mail.ts'
import { mailOf } from './variants.ts'

let ours: Promise<Templates> | undefined // compiling them takes seconds

/** An email that passes every gate: the typical one of its kind, changed by `less`. */
export async function soundMail(kind: Kind = 'digest', less: Partial<Ingredients> = {}): Promise<Mail> {
  ours ??= loadTemplates({ compile: compileInTest })
  return mailOf(await ours, { ...typical(kind, 'en'), ...less })
}

/** The same email with a fault in it, and a new message around it. */
export async function broken(mail: Mail, change: (email: Email) => Partial<Email>): Promise<Mail> {
  const email = { ...mail.email, ...change(mail.email) }
  return { ...mail, email, eml: await messageOf(email) }
}

/** Replaces `before` in a text; throws if it is not there. */
export function swap(text: string, before: string | RegExp, after: string): string {
  const changed = text.replace(before, () => after)
  if (changed === text) throw new Error(`nothing to replace: ${before}`)
  return changed
}

/** All faults, as text. */
export const complaints = (findings: readonly Finding[]): string =>
  findings.flatMap(({ gate, faults }) => faults.map((fault) => `${gate}: ${fault}`)).join('\n')
