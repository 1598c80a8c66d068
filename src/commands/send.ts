import { setTimeout as wait } from 'node:timers/promises'
import { type Summary, summaryOf, whyHeld } from '../actions/editions/show.ts'
import type { App } from '../app.ts'
import type { Edition } from '../db/ledger/editions.ts'
import { summaryText } from './edition-text.ts'
import { counted, people } from './layout.ts'
import { type Progress, progressBar, progressLines } from './progress.ts'
import { canAsk, confirmed } from './prompt.ts'
import { aborted, finishes, stopSignal } from './signals.ts'
import type { Terminal } from './terminal.ts'

export type SendOptions = { json?: boolean; wait?: boolean; yes?: boolean }

const LOOK_EVERY_MS = 250

/** Plans this week's edition and finishes it, here or with the running workers. Returns the exit code. */
export async function sendEdition(terminal: Terminal, options: SendOptions): Promise<number> {
  const stop = stopSignal(() => terminal.note('Finishing current work. Press Ctrl-C again to stop now.'))
  return terminal.withApp(async (app) => {
    const held = await whyHeld(app)
    if (held !== null) {
      terminal.note(`Not done: ${held}.`)
      return 1
    }
    const question = canAsk(terminal) && !options.yes ? await questionBefore(app, options) : null
    if (question !== null && !(await confirmed(terminal, question, 'Stopped. Nothing was sent.'))) {
      terminal.note('Not done: nothing was sent.')
      return 1
    }
    const planned = await Promise.race([plan(app), aborted(stop)])
    if (!planned) return unfinished(terminal, null, options)
    const { kind, edition } = planned
    const { id } = edition
    const over = edition.state === 'submitted' || edition.state === 'cancelled'
    if (kind === 'exists' && (over || !options.wait)) return exists(terminal, app, edition, options)
    if (edition.state === 'paused') return conclude(terminal, app, await summaryNow(app, id), options)

    if (kind === 'exists') terminal.note(`Edition ${id} already exists and is unfinished: finishing it.`)
    if (!over && !options.wait && ((await app.queue.workers()) ?? 0) > 0)
      return handOver(terminal, app, id, options)
    if (!over && !options.wait) terminal.note('No worker is running, so this process submits the edition.')
    const summary = await seeThrough(app, id, stop, progressFor(options))
    const left = summary.state === 'planning' || summary.state === 'submitting'
    return left ? unfinished(terminal, summary, options) : conclude(terminal, app, summary, options)
  })
}

/** What to ask before anyone is emailed; null if no one would be. */
async function questionBefore(app: App, { wait }: SendOptions): Promise<string | null> {
  const { audienceNow } = await import('../actions/editions/preview.ts')
  const audience = await audienceNow(app)
  if (audience !== null && audience.recipients === 0)
    return `No one would get edition ${audience.id} now. Plan it anyway?`
  if (audience !== null) return `Send edition ${audience.id} to ${people(audience.recipients)} now?`
  const { slotAtOrBefore } = await import('../core/time/calendar.ts')
  const summary = await summaryNow(app, slotAtOrBefore(app.config.slotRule, app.now()).editionId)
  const goesOn = summary.state === 'planning' || summary.state === 'submitting'
  return wait && goesOn
    ? `Finish edition ${summary.id} now? ${people(summary.waiting)} ${summary.waiting === 1 ? 'is' : 'are'} waiting for it.`
    : null
}

async function plan(app: App) {
  const { sendThisWeek } = await import('../actions/editions/coming.ts')
  return sendThisWeek(app)
}

async function exists(
  terminal: Terminal,
  app: App,
  { id, state }: Edition,
  options: SendOptions,
): Promise<number> {
  const more =
    state === 'submitting' || state === 'planning' ? ' To finish it: openseat edition send --wait' : ''
  const says = `Edition ${id} already exists and is ${state}; nothing was done.${more}`
  if (options.json) terminal.note(says)
  terminal.show(options, await summaryNow(app, id), says)
  return 0
}

async function handOver(terminal: Terminal, app: App, id: string, options: SendOptions): Promise<number> {
  const summary = await summaryNow(app, id)
  const size = `${counted(summary.waiting, 'recipient')} in ${counted(summary.batches, 'batch')}`
  terminal.show(
    options,
    summary,
    `Edition ${id} is planned: ${size}. The running worker will submit it. To follow it: openseat edition show ${id}`,
  )
  return 0
}

/** Works on the edition, together with other workers, until it ends, is paused, or `stop` aborts. */
async function seeThrough(app: App, id: string, stop: AbortSignal, progress: Progress): Promise<Summary> {
  const { startWorker } = await import('../worker.ts')
  const worker = await startWorker(app, { scheduled: false })
  let summary = await summaryNow(app, id)
  progress.show(summary)
  while (
    !stop.aborted &&
    summary.held === undefined &&
    (summary.state === 'planning' || summary.state === 'submitting')
  ) {
    await wait(LOOK_EVERY_MS, null, { signal: stop }).catch(() => {})
    summary = await summaryNow(app, id)
    progress.show(summary)
  }
  await finishes([worker.stop()])
  summary = await summaryNow(app, id)
  progress.end(summary)
  return summary
}

function conclude(terminal: Terminal, { config }: App, summary: Summary, options: SendOptions): number {
  terminal.show(options, summary, summaryText(summary, config.DIGEST_TIME_ZONE))
  return summary.state === 'paused' ? 1 : 0
}

function unfinished(terminal: Terminal, summary: Summary | null, options: SendOptions): number {
  if (options.json && summary) terminal.show(options, summary, '')
  const left = summary
    ? `${counted(summary.waiting, 'recipient')} of edition ${summary.id} are waiting`
    : 'The edition is not fully planned'
  terminal.note(`${left}. A running worker continues it, or run: openseat edition send --wait`)
  return 1
}

function progressFor({ json, wait }: SendOptions): Progress {
  if (wait && process.stderr.isTTY) return progressBar(process.stderr)
  return progressLines(wait && !json ? process.stdout : process.stderr)
}

async function summaryNow(app: App, id: string): Promise<Summary> {
  const summary = await summaryOf(app, id)
  if (summary === null) throw new Error(`edition ${id} is gone from the ledger`)
  return summary
}
