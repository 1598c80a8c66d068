import type { Installation } from '../../app.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import type { Role } from '../../core/operators/actor.ts'
import { newAppSecret } from '../../core/operators/app-code.ts'
import { seal } from '../../core/operators/sealed.ts'
import { hashOf, newToken } from '../../core/operators/token.ts'
import { keepEntryLink, ownerOfLink, useEntryLink } from '../../db/operators/entry-links.ts'
import { demand } from './acting.ts'

type Needs = Pick<Installation, 'store' | 'config' | 'now'>

/** `problem`: what is wrong with the address. `last-owner`: the role would leave the practice without an owner. */
export type LinkOutcome =
  | { kind: 'made'; url: string; expires: Date; email: string; role: Role }
  | { kind: 'bad-address'; problem: string }
  | { kind: 'last-owner' }

/**
 * Makes a link that lets someone choose how to sign in: it invites, resets, and replaces a lost phone. It works once, for 30
 * minutes. Without a role, a new operator is `operator`, and one who is known keeps theirs.
 */
export async function makeEntryLink(
  app: Needs & Pick<Installation, 'actor'>,
  { email: typed, role }: { email: string; role: Role | null },
): Promise<LinkOutcome> {
  demand(app, 'people.change')
  const read = normalizeEmail(typed)
  if ('problem' in read) return { kind: 'bad-address', problem: read.problem }
  const token = newToken()
  const link = { email: read.email, role, tokenHash: hashOf(token) }
  const kept = await keepEntryLink(app.store, link, app.now())
  if (kept.kind === 'last-owner') return kept
  const url = `${app.config.operatorOrigin}/enter/${token}`
  return { kind: 'made', url, expires: kept.expires, email: read.email, role: kept.role }
}

/** Whose link this is, while it works; null if it does not. Looking at it changes nothing: mail scanners look too. */
export async function readEntryLink({ store, now }: Needs, token: string) {
  return ownerOfLink(store, hashOf(token), now())
}

/** Uses the link up, and returns the cookie of a sign-in in which they choose how to sign in from now on; or null. */
export async function enterByLink(
  { store, config, now }: Needs,
  token: string,
  from: { network: string; device: string },
): Promise<{ cookie: string } | null> {
  const cookie = newToken()
  const enrolling = seal(config.LINK_SECRET, newAppSecret())
  const signIn = { ...from, tokenHash: hashOf(cookie), enrolling }
  const operatorId = await useEntryLink(store, hashOf(token), signIn, now())
  return operatorId === null ? null : { cookie }
}
