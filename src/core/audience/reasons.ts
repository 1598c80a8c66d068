import type { Exclusion } from './exclusion.ts'

/**
 * Why a reader gets no email, for people: `label` beside a count, `present` and `past` after "because": the first for what would
 * happen at this moment, the second for what happened.
 */
export const REASONS: Record<Exclusion, { label: string; present: string; past: string }> = {
  suppressed: {
    label: 'suppressed',
    present: 'their address is suppressed',
    past: 'their address was suppressed then',
  },
  unsubscribed: {
    label: 'unsubscribed',
    present: 'they have unsubscribed',
    past: 'they had unsubscribed',
  },
  pending: {
    label: 'not confirmed',
    present: 'they have not confirmed their subscription yet',
    past: 'they had not confirmed their subscription',
  },
  paused: {
    label: 'paused',
    present: 'they have paused their emails',
    past: 'they had paused',
  },
  'monthly-not-due': {
    label: 'monthly not due',
    present: 'they get one edition a month, and the last one was less than 28 days before',
    past: 'they get one edition a month, and the last one was less than 28 days before',
  },
  'nothing-new': {
    label: 'nothing new',
    present: 'nothing that can be booked in their topics is new to them',
    past: 'nothing that could be booked in their topics was new to them',
  },
  superseded: {
    label: 'in a newer edition',
    present: 'a newer edition is planned and shows them the same news',
    past: 'a newer edition was planned before their turn came; that one shows them the same news',
  },
  'in-doubt': {
    label: 'in doubt',
    present: 'an email of a newer edition with the same news may have reached them',
    past: 'an email of a newer edition with the same news may have reached them already',
  },
  cancelled: {
    label: 'cancelled',
    present: 'the edition is cancelled',
    past: 'the edition was cancelled before their turn came',
  },
  erased: {
    label: 'erased',
    present: 'they were erased from the list',
    past: 'they were erased from the list',
  },
}

/** Counts of excluded candidates by their labels, for people. */
export function labeled(excluded: Partial<Record<Exclusion, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(excluded).map(([reason, count]) => [REASONS[reason as Exclusion].label, count]),
  )
}
