import type { App } from '../../app.ts'
import type { RequestLimits } from '../../db/people/requested-emails.ts'
import { estimateReaders } from '../../db/people/sign-ups.ts'
import { DECOY } from './notices.ts'

const HOUR_MS = 3_600_000

/** How long a requested email counts against the next one to its address. */
export const REQUESTS_COUNT_MS = 30 * 24 * HOUR_MS
const EMAILS_PER_ADDRESS = 3
/** Emails that all strangers together can cause in an hour: one per hundred readers, within these bounds. */
const EMAILS_AN_HOUR = { least: 60, most: 600 }

/** How many emails a stranger can cause now; `fromNetwork` counts the requests of their network. */
export async function requestLimits(
  { store, now }: Pick<App, 'store' | 'now'>,
  fromNetwork: number,
): Promise<RequestLimits> {
  const since = (ms: number) => new Date(now().getTime() - ms)
  const hundredth = Math.floor((await estimateReaders(store)) / 100)
  const max = Math.min(EMAILS_AN_HOUR.most, Math.max(EMAILS_AN_HOUR.least, hundredth))
  return {
    perAddress: { max: EMAILS_PER_ADDRESS, since: since(REQUESTS_COUNT_MS) },
    overall: { max, since: since(HOUR_MS) },
    fromNetwork,
  }
}

/**
 * Enqueues a requested email after the answer, with a delay of some seconds, or a decoy if there is none, so that the two
 * cannot be distinguished. Never throws; the sweep enqueues it too.
 */
export function enqueueUnseen(
  { queue }: { queue: Pick<App['queue'], 'wakeNotices'> },
  noticeId: number | null,
  delayMs: number,
): void {
  setImmediate(() => void queue.wakeNotices([noticeId ?? DECOY], { delayMs }))
}
