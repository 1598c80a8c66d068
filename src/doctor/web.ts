import type { Config } from '../config.ts'
import type { Check } from '../resend/check.ts'
import { isTrial } from './trial.ts'

const PATIENCE_MS = 3_000

/** Checks the pages as the world reaches them, and the webhook's secret. */
export async function checkWeb(config: Config): Promise<Check[]> {
  const { PUBLIC_URL } = config
  const [address, metrics] = await Promise.all([checkAddress(config), checkMetrics(PUBLIC_URL)])
  return [address, proxy(config), ...metrics, webhookSecret(config)]
}

async function checkAddress(config: Config): Promise<Check> {
  const { PUBLIC_URL: url } = config
  const name = 'public address'
  if (!url.startsWith('https://') && !isTrial(config)) {
    const fix = 'Put the pages behind https before you email anyone: one-click unsubscribing needs it.'
    return { name, status: 'warn', detail: `${url} is not https`, fix }
  }
  const alive = await ask(`${url}/healthz`)
  if (alive.status === 200 && alive.body.includes('"status":"ok"'))
    return { name, status: 'ok', detail: `${url} answers${isTrial(config) ? ', on this machine only' : ''}` }
  return {
    name,
    status: 'warn',
    detail: `${url} ${alive.status === null ? `does not answer from here (${alive.body})` : `answers ${alive.status}, and not with our pages`}`,
    fix: 'Expected before the first start. After that, check DNS, the certificate, and your proxy: links in emails point here.',
  }
}

/** If https ends at a proxy, every visitor seems to come from the proxy, unless TRUST_PROXY names it. */
function proxy({ PUBLIC_URL, TRUST_PROXY }: Config): Check {
  const name = 'proxy'
  if (TRUST_PROXY !== 'off') return { name, status: 'ok', detail: `TRUST_PROXY is ${TRUST_PROXY}` }
  if (!PUBLIC_URL.startsWith('https://'))
    return { name, status: 'ok', detail: 'none is needed without https' }
  return {
    name,
    status: 'warn',
    detail: 'TRUST_PROXY is off, so behind a proxy ten sign-ups an hour close the list to everyone',
    fix: 'Set TRUST_PROXY to the address of your proxy as this server sees it, for example TRUST_PROXY=127.0.0.1.',
  }
}

async function checkMetrics(url: string): Promise<Check[]> {
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)) return []
  const { status, body } = await ask(`${url}/metrics`)
  if (status !== 200 || !body.includes('openseat_')) return []
  const fix = 'Set METRICS_TOKEN, or block /metrics in your proxy.'
  return [{ name: 'metrics', status: 'warn', detail: `anyone can read ${url}/metrics`, fix }]
}

function webhookSecret({ PUBLIC_URL, RESEND_WEBHOOK_SECRET }: Config): Check {
  const name = 'webhook'
  if (RESEND_WEBHOOK_SECRET) return { name, status: 'ok', detail: 'its secret is set' }
  return {
    name,
    status: 'warn',
    detail: "RESEND_WEBHOOK_SECRET is not set, so Openseat won't learn about bounces and complaints",
    fix: `Add a webhook at resend.com/webhooks to ${PUBLIC_URL}/webhooks/resend, and put its secret in RESEND_WEBHOOK_SECRET.`,
  }
}

/** The answer of a URL, or why there was none in time. */
async function ask(url: string): Promise<{ status: number | null; body: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'manual' })
    return { status: response.status, body: await response.text() }
  } catch (error) {
    const { cause, name } = error as Error & { cause?: { code?: string } }
    return { status: null, body: cause?.code ?? name }
  }
}
