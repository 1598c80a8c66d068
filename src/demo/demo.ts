import { spawn } from 'node:child_process'
import { once as happens } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { planEdition } from '../actions/editions/plan.ts'
import { type Summary, summaryOf } from '../actions/editions/show.ts'
import { makeEntryLink } from '../actions/operators/entry-links.ts'
import type { App } from '../app.ts'
import { breakdown, counted, number } from '../commands/layout.ts'
import { type Progress, progressBar, progressLines } from '../commands/progress.ts'
import { aborted, stopSignal } from '../commands/signals.ts'
import { loadConfig } from '../config.ts'
import { labeled } from '../core/audience/reasons.ts'
import { Unavailable } from '../core/errors.ts'
import { newToken } from '../core/operators/token.ts'
import { slotAtOrBefore } from '../core/time/calendar.ts'
import { findOperator } from '../db/operators/operators.ts'
import { startOperatorServer } from '../http/operator/server.ts'
import { startServer } from '../http/server.ts'
import { findOrInstallProgram, redisServer } from '../machine/find-program.ts'
import { openApp } from '../open-app.ts'
import { startWorker } from '../worker.ts'
import { startInbox } from './inbox/server.ts'
import { addSampleData } from './sample-data.ts'
import { sampleReaders } from './sample-readers.ts'
import { sampleGroups } from './sample-sessions.ts'
import { asShell, demoSettings } from './settings.ts'
import { examplesFrom, tour } from './tour.ts'

const LOOK_EVERY_MS = 200

/**
 * Runs the whole program for an invented practice: everything that `start` runs, on a temporary database and a private
 * Redis, sending this week's edition to an inbox of its own. Runs until Ctrl-C, or with `once` until the edition is finished.
 * `json` prints its counts as one document on stdout, and everything else on stderr. It always cleans up after itself.
 * Throws `Unavailable` if a part is missing, or if `once` is set and the edition does not finish.
 */
export async function demo({ once, json }: { once: boolean; json: boolean }): Promise<void> {
  const output = json ? process.stderr : process.stdout
  const say = (text: string) => void output.write(`${text}\n`)
  const stop = stopSignal(() => say('\nStopping.'))
  await findRedis(say)

  await using stage = new AsyncDisposableStack()
  const { app, readers, inbox, envFile, ownerLink } = await setUp(stage)
  const zones = new Set(readers.map(({ timeZone }) => timeZone)).size
  const size = `${number(readers.length)} readers in ${zones} time zones`
  say(`${app.config.practice}, an invented practice, emails its ${size}:\n`)
  const progress = process.stderr.isTTY ? progressBar(process.stderr) : progressLines(output)
  const summary = await mailEdition(app, stop, progress)
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ...countsOf(summary), inbox: inbox.mailbox.size() }, null, 2)}\n`,
    )
  say(`\n${outcome(summary)}`)
  if (once && summary.state !== 'submitted')
    throw new Unavailable(`The edition is not finished: it is ${summary.state}.`)
  if (once || stop.aborted) return

  say(await tour(app, { editionId: summary.id, readers, inbox, envFile, ownerLink }))
  await aborted(stop)
}

async function findRedis(say: (text: string) => void): Promise<void> {
  try {
    await findOrInstallProgram(redisServer, say)
  } catch (error) {
    throw new Unavailable((error as Error).message, { cause: error })
  }
}

/** Starts everything that `start` runs, with invented readers and an inbox. `stage` stops it, in reverse order. */
async function setUp(stage: AsyncDisposableStack) {
  const folder = temporaryFolder()
  stage.defer(() => folder.remove())
  const [port, mailPort, operatorPort] = await freePorts()
  const readers = sampleReaders()
  const settings = demoSettings(folder.path, { port, operatorPort }, `http://127.0.0.1:${mailPort}`)
  const inbox = await startInbox({
    port: mailPort,
    account: { apiKey: settings.RESEND_API_KEY, domain: 'mail.harbor.test' },
    now: () => new Date(),
    examples: examplesFrom(readers),
    groups: sampleGroups(),
    reports: {
      endpoint: `${settings.PUBLIC_URL}/webhooks/resend`,
      secret: settings.RESEND_WEBHOOK_SECRET,
    },
  })
  stage.defer(() => inbox.close())
  const envFile = join(folder.path, 'env')
  writeFileSync(envFile, asShell(settings), { flag: 'wx', mode: 0o600 })

  // People who try the form wait for its email.
  const app = await openApp(loadConfig(settings), { pace: { answerMs: 0, emailDelayMs: () => 0 } })
  stage.defer(() => app.close())
  await addSampleData(app, inbox.url)
  const server = await startServer(app)
  stage.defer(() => server.close())
  const ownerLink = await startOperators(app, stage)
  const worker = await startWorker(app, { scheduled: true })
  stage.defer(() => worker.stop())
  return { app, readers, inbox, envFile, ownerLink }
}

/** Serves the operators' pages, and returns a link that signs in as the owner with one press, as often as it is pressed. */
async function startOperators(app: App, stage: AsyncDisposableStack): Promise<string> {
  const email = 'mira@sample.test'
  const made = await makeEntryLink(app, { email, role: 'owner' })
  const owner = await findOperator(app.store, email)
  if (made.kind !== 'made' || owner === null) throw new Error('the demo has no owner')
  const token = newToken()
  const operators = await startOperatorServer(app, { token, operatorId: owner.id })
  stage.defer(async () => operators?.close())
  return `${app.config.operatorOrigin}/enter/${token}`
}

/** A folder that is removed when this process ends, even by SIGKILL: a shell waits for our end of its pipe to close. */
function temporaryFolder(): { path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'openseat-demo-'))
  // After a kill, our Redis may write here for a moment longer, so try again.
  const script = 'read -r _; for _ in 1 2 3 4 5; do rm -rf "$1" && exit; sleep 1; done'
  const keeper = spawn('/bin/sh', ['-c', script, 'openseat-demo', path], {
    detached: true, // so that Ctrl-C does not reach it
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  keeper.unref()
  return {
    path,
    async remove() {
      keeper.ref()
      const gone = happens(keeper, 'exit')
      keeper.stdin.end()
      await gone
    },
  }
}

/** Three free ports, found in advance because links in emails contain them before anything listens there. */
async function freePorts(): Promise<[number, number, number]> {
  const probes = [1, 2, 3].map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(probes.map((probe) => happens(probe, 'listening')))
  const [one = 0, two = 0, three = 0] = probes.map((probe) => (probe.address() as AddressInfo).port)
  await Promise.all(probes.map((probe) => happens(probe.close(), 'close')))
  return [one, two, three]
}

/** Plans the edition as `edition send` does, since slots before the first start are never due. Returns early on `stop`. */
async function mailEdition(app: App, stop: AbortSignal, progress: Progress): Promise<Summary> {
  const { edition } = await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  for (;;) {
    const summary = await summaryOf(app, edition.id)
    if (summary === null) throw new Error(`edition ${edition.id} is gone from the ledger`)
    if (stop.aborted || summary.state !== 'submitting') {
      progress.end(summary)
      return summary
    }
    progress.show(summary)
    await wait(LOOK_EVERY_MS, null, { signal: stop }).catch(() => {})
  }
}

function countsOf(summary: Summary) {
  const { id, state, scheduledFor, candidates, submitted, excluded, failed, unknown, waiting, batches } =
    summary
  return { id, state, scheduledFor, candidates, submitted, excluded, failed, unknown, waiting, batches }
}

function outcome({ id, candidates, submitted, excluded, waiting }: Summary): string {
  const out = Object.values(excluded).reduce((sum, count) => sum + count, 0)
  const rest = waiting > 0 ? ` ${number(waiting)} were still waiting.` : ''
  return `Edition ${id}: ${counted(submitted, 'email')} for ${counted(candidates, 'candidate')}. ${number(out)} excluded: ${breakdown(labeled(excluded))}.${rest}`
}
