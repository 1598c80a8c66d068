import type { App } from '../../app.ts'
import { readToken } from '../../core/tokens.ts'
import { liftRefusal, refuse } from '../../db/people/refusals.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

/** Whether the token of a "not me" link is ours; it has no expiry. */
export function isNotMe({ config }: Pick<App, 'config'>, token: string): boolean {
  return readToken(config.LINK_SECRET, 'not-me', token) !== null
}

/** Sends the address that the link was mailed to no more emails that somebody else can cause. False for a false link. */
export async function refuseEmails(app: Needs, token: string): Promise<boolean> {
  const emailHash = readToken(app.config.LINK_SECRET, 'not-me', token)
  if (emailHash !== null) await refuse(app.db, emailHash, app.now())
  return emailHash !== null
}

/** Takes `refuseEmails` back, by the same link. False for a false link. */
export async function allowEmails(app: Needs, token: string): Promise<boolean> {
  const emailHash = readToken(app.config.LINK_SECRET, 'not-me', token)
  if (emailHash !== null) await liftRefusal(app.db, emailHash)
  return emailHash !== null
}
