import { resendEdition } from '../../src/actions/editions/resend.ts'
import { obeyTests } from '../../src/failpoint.ts'
import { buildServer } from '../../src/http/server.ts'
import { dbOf } from '../db.ts'
import { signedWebhook } from '../resend/webhooks.ts'
import { addNews, type Faked, HOUR_MS, MINUTE_MS, openFaked, work } from './faked-clock.ts'
import { WEBHOOK_SECRET } from './installation.ts'
import { judge, ledgerOf, type Verdict } from './judge.ts'

export type DoubtOptions = {
  folder: string
  redis: string
  /** How far the machine's clock jumps once the answers are lost: 0, or one hour in either direction. */
  jumpMs: number
  /** When the provider answers again, in real time since the first attempt. */
  backAfterMs: number
  /** How many of the three batches must then be `unknown`. */
  unknown: number
}

export type Doubt = Verdict & { attempts: number }

const READERS = 300
const SLOT = new Date('2026-11-23T14:00:00Z')

/**
 * Loses the answers to two of three batches: one was accepted, one was not. The provider is then down for hours, with a
 * retry every hour. Batches that end as `unknown` are resolved: accepted ones by webhooks through the real route, the rest
 * by an operator. After that, everyone must have one email.
 */
export async function liveThroughDoubt(options: DoubtOptions): Promise<Doubt> {
  const faked = await openFaked({ ...options, at: new Date(SLOT.getTime() - HOUR_MS), readers: READERS })
  try {
    addNews(faked, SLOT)
    await loseAnswers(faked)
    await stayAway(faked, options)
    faked.resend.clearFaults()
    setClocks(faked, options, options.backAfterMs)
    await work(faked)
    const problems = problemsWith(faked, options.unknown)
    if (options.unknown > 0) problems.push(...(await resolve(faked)))
    const verdict = judge(faked.resend.countByAddress(), ledgerOf(dbOf(faked.app.store).$client), {
      recipients: READERS,
      unknown: Math.max(0, options.unknown - 1) * 100, // the operator's resend adds a generation; the old rows stay
    })
    return {
      ...verdict,
      attempts: faked.resend.requests.length,
      problems: [...problems, ...verdict.problems],
    }
  } finally {
    await faked.close()
  }
}

async function loseAnswers(faked: Faked): Promise<void> {
  const about = (batch: string) => (request: { key: string | null }) => request.key?.endsWith(batch) ?? false
  faked.resend.inject({ kind: 'reset-after-accept', when: about('/b1') })
  faked.resend.inject({ kind: 'reset-before', when: about('/b2') })
  faked.setClock(SLOT)
  await work(faked)
}

async function stayAway(faked: Faked, options: DoubtOptions): Promise<void> {
  faked.resend.inject({ kind: 'reset-before', times: Infinity })
  for (let ms = HOUR_MS; ms < Math.min(options.backAfterMs, 22.5 * HOUR_MS); ms += HOUR_MS) {
    setClocks(faked, options, ms)
    await work(faked)
  }
}

function setClocks(faked: Faked, { jumpMs }: DoubtOptions, trueMs: number): void {
  faked.setProviderClock(new Date(SLOT.getTime() + trueMs))
  faked.setClock(new Date(SLOT.getTime() + trueMs + jumpMs))
}

function problemsWith({ app }: Faked, wanted: number): string[] {
  const unknown = dbOf(app.store)
    .$client.prepare("select count(*) from batches where state = 'unknown'")
    .pluck()
  const count = Number(unknown.get())
  return count === wanted ? [] : [`${count} batches are unknown where ${wanted} were to be`]
}

/** Webhooks for the emails that the provider accepted, then the operator's `edition resend --unknown`. */
async function resolve(faked: Faked): Promise<string[]> {
  const { app, resend } = faked
  const server = await buildServer(app)
  const problems: string[] = []
  for (const email of resend.accepted.filter(({ key }) => key?.endsWith('/b1'))) {
    const { headers, body } = signedWebhook(WEBHOOK_SECRET, resend.webhookEvent('email.delivered', email))
    const answer = await server.inject({ method: 'POST', url: '/webhooks/resend', headers, payload: body })
    if (answer.statusCode !== 200) problems.push(`a webhook was answered ${answer.statusCode}`)
  }
  await server.close()
  const edition = SLOT.toISOString().slice(0, 10)
  const resent = await resendEdition(app, edition, { kind: 'unknown' })
  if (resent.kind !== 'planned' || resent.recipients !== 100)
    problems.push(`the resend was ${JSON.stringify(resent)}`)
  faked.setClock(new Date(app.now().getTime() + MINUTE_MS))
  await work(faked)
  return problems
}

if (import.meta.main) {
  obeyTests(process.env)
  console.log(JSON.stringify(await liveThroughDoubt(JSON.parse(process.argv[2] ?? '') as DoubtOptions)))
}
