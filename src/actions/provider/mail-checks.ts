import { formatDistanceStrict } from 'date-fns/formatDistanceStrict'
import type { Installation } from '../../app.ts'
import type { Config } from '../../config.ts'
import { reportsOn } from '../../core/provider/silence.ts'
import { newestEdition, tallyOf } from '../../db/ledger/editions.ts'
import { lastEventOf } from '../../db/ledger/reports.ts'
import { lastReportAt } from '../../db/ledger/stats.ts'
import { checkMail } from '../../resend/account-check.ts'
import type { Check } from '../../resend/check.ts'

type Asks = { config: Config; installation: Pick<Installation, 'store'> | null; now: Date }

/** What Resend says of the key, the domain and the account. `readers`: for how many people its plan must be large enough. */
export async function checkAccount(
  { config, installation, now }: Asks,
  readers: number | null,
): Promise<Check[]> {
  const { UNSUBSCRIBE_ADDRESS: address, PUBLIC_URL } = config
  const endpoint = `${PUBLIC_URL}/webhooks/resend`
  const lastAt = async () => installation && (await lastEventOf(installation.store, 'email.received'))
  return checkMail({
    apiKey: config.RESEND_API_KEY,
    baseUrl: config.RESEND_BASE_URL,
    from: config.MAIL_FROM,
    replyTo: config.MAIL_REPLY_TO,
    now,
    readers,
    unsubscribing: address === undefined ? null : { address, endpoint, lastAt: await lastAt() },
  })
}

/** Whether Resend reports what becomes of emails; empty while that cannot be said, or is not set up. */
export async function checkReports({
  store,
  config,
  now,
}: Pick<Installation, 'store' | 'config' | 'now'>): Promise<Check[]> {
  const newest = await newestEdition(store)
  if (!config.RESEND_WEBHOOK_SECRET || newest === null || newest.finishedAt === null) return []
  const { submitted } = await tallyOf(store, newest.id)
  const reports = reportsOn({ ...newest, submitted, reportedAt: await lastReportAt(store) }, now())
  const name = 'reports'
  if (reports === 'early') return []
  if (reports === 'reported')
    return [{ name, status: 'ok', detail: `Resend has reported about ${newest.id}` }]
  const since = formatDistanceStrict(newest.finishedAt, now())
  return [
    {
      name,
      status: 'warn',
      detail: `Resend has reported nothing about ${newest.id}, submitted ${since} ago: Openseat won't learn about bounces and complaints`,
      fix: `See at resend.com/webhooks that ${config.PUBLIC_URL}/webhooks/resend is there for the email.* events, what it was answered, and that RESEND_WEBHOOK_SECRET is its signing secret.`,
    },
  ]
}
