import type { Actor, Role } from './actor.ts'

const ALL: readonly Role[] = ['owner', 'operator', 'editor']
const SENDERS: readonly Role[] = ['owner', 'operator']
const OWNERS: readonly Role[] = ['owner']

/** Who may do what. An editor may nothing that names a reader, or mails one. */
export const PERMISSIONS = {
  'today.see': ALL,
  'sessions.see': ALL,
  /** Groups, topics and imports too. */
  'sessions.edit': ALL,
  'editions.see': ALL,
  /** To oneself, with invented readers. */
  'editions.test': ALL,
  /** Hold, approve, send, pause, resume, cancel, resend to some, correct. */
  'editions.control': SENDERS,
  'editions.resend-all': SENDERS,
  'installation.release': SENDERS,
  'readers.see': SENDERS,
  'readers.change': SENDERS,
  'readers.export': OWNERS,
  'readers.erase': OWNERS,
  'suppressions.see': SENDERS,
  'suppressions.lift': SENDERS,
  'check.see': SENDERS,
  'audit.see': SENDERS,
  'people.see': OWNERS,
  'people.change': OWNERS,
  /** One's own sign-ins; and one's own passkeys, codes and password. */
  'sign-ins.own': ALL,
  'credentials.own': ALL,
} satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof PERMISSIONS

/** What also needs a fresh proof of who is asking. */
export const NEEDS_PROOF: ReadonlySet<Permission> = new Set<Permission>([
  'editions.resend-all',
  'installation.release',
  'readers.export',
  'readers.erase',
  'people.change',
  'credentials.own',
])

/** How long a proof counts, in ms. */
export const PROOF_MS = 10 * 60_000

/** Whether an actor may ever do this. Commands and the program itself may; someone with a link may nothing of it. */
export function mayDo(actor: Actor, permission: Permission): boolean {
  if (actor.kind === 'operator') return PERMISSIONS[permission].includes(actor.role)
  return actor.kind === 'command' || actor.kind === 'system'
}

/** Whether an actor must first prove again who they are. `now` in ms UTC. */
export function mustProve(actor: Actor, permission: Permission, now: number): boolean {
  if (actor.kind !== 'operator' || !NEEDS_PROOF.has(permission)) return false
  return actor.provenAt === null || now - actor.provenAt > PROOF_MS
}
