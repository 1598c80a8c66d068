import { randomInt } from 'node:crypto'
import type { App, Overrides, Pace } from './app.ts'
import type { Config } from './config.ts'
import { identifyProcess } from './machine/process-identity.ts'
import { type Metrics, openMetrics } from './metrics/metrics.ts'
import { openInstallationAndQueue } from './open-queue.ts'
import { openLinks } from './public-web/ask-links.ts'
import { type Mailer, openMailer } from './resend/mailer.ts'
import { loadTemplates, type Templates } from './templates/load.ts'

// An answer usually takes about 10 ms. No one minds waiting this long for either.
const PACE: Pace = { answerMs: 400, emailDelayMs: () => randomInt(1_000, 20_000) }

/**
 * Opens everything: the one wiring for production, demo and tests. `close()` undoes it in reverse.
 * Throws `BadInput` (settings, templates) or `Unavailable` (Redis) with what to do; nothing stays open then.
 */
export async function openApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const loading = templatesFor(config, overrides)
  loading.catch(() => {}) // said below, unless the installation cannot be opened either
  const installation = await openInstallationAndQueue(config, overrides)
  try {
    const templates = await loading
    const metrics = openMetrics()
    const mailer = openMailer({
      apiKey: config.RESEND_API_KEY,
      baseUrl: config.RESEND_BASE_URL,
      ...(overrides.requestTimeoutMs === undefined ? {} : { timeoutMs: overrides.requestTimeoutMs }),
    })
    return {
      ...installation,
      templates,
      askLinks: overrides.askLinks ?? openLinks(),
      mailer: timed(mailer, metrics),
      metrics,
      instance: identifyProcess(),
      pace: overrides.pace ?? PACE,
    }
  } catch (error) {
    await installation.close()
    throw error
  }
}

async function templatesFor(config: Config, { templates }: Overrides): Promise<Templates> {
  return templates ?? (await loadTemplates({ folder: config.TEMPLATES_PATH, palette: config.palette }))
}

function timed(mailer: Mailer, { submitSeconds }: Metrics): Mailer {
  return {
    async submitBatch(batch) {
      const stop = submitSeconds.startTimer()
      const answer = await mailer.submitBatch(batch)
      stop({ answer: answer.kind })
      return answer
    },
  }
}
