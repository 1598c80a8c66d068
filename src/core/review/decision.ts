import { type Flag } from './flags.ts'

/** When a coming edition waits for a person: APPROVAL. */
export type Approval = 'flagged' | 'always' | 'off'

/**
 * `open`: not reviewed yet. `clear`, `flagged`: reviewed. `held`: someone pressed Hold. `approved`: someone said that it may go.
 * `waiting`: it is due, and waits for a person.
 */
export type ComingState = 'open' | 'clear' | 'flagged' | 'held' | 'approved' | 'waiting'

/** What is known of a coming edition. Instants are ms UTC. */
export type Reviewed = {
  reviewedAt: number | null
  flags: readonly Flag[]
  heldAt: number | null
  /** The keys of the flags that someone saw when they approved it; null: nobody has. */
  approved: readonly string[] | null
}

export const UNREVIEWED: Reviewed = { reviewedAt: null, flags: [], heldAt: null, approved: null }

/** Whose word counts. `operators`: whether anyone could sign in and approve. */
export type Rules = { approval: Approval; operators: boolean }

/**
 * Whether an edition due at `at` waits for a person, or would if nobody does anything. A hold counts always, for someone
 * meant it. Nothing else waits where there is no one to wait for.
 */
export function decide(
  reviewed: Reviewed,
  { approval, operators }: Rules,
  { at, now }: { at: Date; now: Date },
): { state: ComingState; waits: boolean } {
  if (reviewed.heldAt !== null) return { state: 'held', waits: true }
  const approved = isApproved(reviewed)
  const asked = approval === 'always' || (approval === 'flagged' && reviewed.flags.length > 0)
  const waits = operators && asked && !approved
  if (waits && now >= at) return { state: 'waiting', waits }
  return { state: approved ? 'approved' : stateOf(reviewed), waits }
}

/** A flag that came after the approval was not approved. */
function isApproved({ flags, approved }: Reviewed): boolean {
  return approved !== null && flags.flatMap(keysOf).every((key) => approved.includes(key))
}

function stateOf({ reviewedAt, flags }: Reviewed): ComingState {
  if (reviewedAt === null) return 'open'
  return flags.length > 0 ? 'flagged' : 'clear'
}

/** What an approval covers: of some flags each host, link, session or setting by itself, so that another one waits again. */
export function keysOf(flag: Flag): string[] {
  const each = (parts: readonly (string | number)[]) => parts.map((part) => `${flag.name} ${part}`)
  switch (flag.name) {
    case 'new-host':
      return each(flag.hosts)
    case 'dead-link':
      return each(flag.links.map(({ url }) => url))
    case 'past-date':
    case 'far-date':
      return each(flag.sessions.map(({ id, date }) => `${id} ${date}`))
    case 'resend':
      return each(flag.checks.map(({ name }) => name))
    case 'shifted':
      return each([flag.minutes])
    case 'no-news':
    case 'many-news':
    case 'fewer-people':
    case 'more-people':
      return [flag.name]
  }
}

/**
 * The flags of an edition that is due and waits. What was odd when it was due stays until someone approves it: correcting the
 * first of three sessions must not send the email. Only Resend's settings may mend themselves.
 */
export function flagsWhileWaiting(before: readonly Flag[], now: readonly Flag[]): Flag[] {
  const names = new Set(now.map(({ name }) => name))
  return [...now, ...before.filter(({ name }) => name !== 'resend' && !names.has(name))]
}
