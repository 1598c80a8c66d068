import type { App } from '../../app.ts'
import { readToken } from '../../core/tokens.ts'
import { liftRefusal, refuse } from '../../db/people/refusals.ts'

type Needs = Pick<App, 'config' | 'store' | 'now'>

/** Whether the token of a "not me" link is ours; it has no expiry. */
export function isNotMe({ config }: Pick<App, 'config'>, token: string): boolean {
  return readToken(config.LINK_SECRET, 'not-me', token) !== null
}

/** Stops all emails that someone else can cause to the address that got the link. False if the link is not ours. */
export async function refuseEmails(app: Needs, token: string): Promise<boolean> {
  const emailHash = readToken(app.config.LINK_SECRET, 'not-me', token)
  if (emailHash !== null) await refuse(app.store, emailHash, app.now())
  return emailHash !== null
}

/** Undoes `refuseEmails`, by the same link. False if the link is not ours. */
export async function allowEmails(app: Needs, token: string): Promise<boolean> {
  const emailHash = readToken(app.config.LINK_SECRET, 'not-me', token)
  if (emailHash !== null) await liftRefusal(app.store, emailHash)
  return emailHash !== null
}
