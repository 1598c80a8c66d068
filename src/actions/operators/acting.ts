import type { Installation } from '../../app.ts'
import type { Actor } from '../../core/operators/actor.ts'
import { mayDo, mustProve, type Permission } from '../../core/operators/permissions.ts'
import { storeFor } from '../../db/store.ts'

/** The same program on someone's behalf: what it does is on record under their name, and only what they may do. */
export function actingAs<Given extends Pick<Installation, 'actor' | 'store'>>(
  app: Given,
  actor: Actor,
): Given {
  return { ...app, actor, store: storeFor(app.store, actor) }
}

/** Thrown where an actor may not do this at all. A page answers 403. */
export class NotAllowed extends Error {
  override name = 'NotAllowed'
  readonly statusCode = 403
}

/** Thrown where someone must first prove again who they are. A page asks for it, and comes back. */
export class NeedsProof extends Error {
  override name = 'NeedsProof'
  readonly wants = 'proof'
}

/** The first line of every action that operators take. Throws `NotAllowed` or `NeedsProof`. */
export function demand({ actor, now }: Pick<Installation, 'actor' | 'now'>, permission: Permission): void {
  if (!mayDo(actor, permission)) throw new NotAllowed(permission)
  if (mustProve(actor, permission, now().getTime())) throw new NeedsProof(permission)
}
