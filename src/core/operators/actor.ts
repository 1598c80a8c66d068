/** What an operator may do; see `permissions.ts`. An editor keeps times, and never sees who reads about them. */
export type Role = 'owner' | 'operator' | 'editor'

export const ROLES: readonly Role[] = ['owner', 'operator', 'editor']

/** An operator in a signed-in browser. */
export type SignedIn = {
  kind: 'operator'
  id: number
  role: Role
  signInId: number
  /** When they last proved who they are, ms UTC; null = not since they signed in. */
  provenAt: number | null
  /** From where, as coarse as the limits of sign-up know a visitor. */
  network: string
}

/** On whose behalf something is done: a person signed in, a command, the program itself, or someone with a link. */
export type Actor = SignedIn | { kind: 'command'; user: string } | { kind: 'system' } | { kind: 'reader' }

export const SYSTEM: Actor = { kind: 'system' }
export const READER: Actor = { kind: 'reader' }

/** The actor as the audit log names them: `operator:7`, `command:root`, `system`, `reader`. */
export function actorName(actor: Actor): string {
  if (actor.kind === 'operator') return `operator:${actor.id}`
  return actor.kind === 'command' ? `command:${actor.user}` : actor.kind
}
