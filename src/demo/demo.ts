import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once as happens } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { planEdition } from '../actions/editions/plan.ts'
import { type Summary, summaryOf } from '../actions/editions/show.ts'
import type { App } from '../app.ts'
import { breakdown, counted, number } from '../commands/layout.ts'
import { type Progress, progressBar, progressLines } from '../commands/progress.ts'
import { aborted, stopSignal } from '../commands/signals.ts'
import { loadConfig, settingNames } from '../config.ts'
import { labeled } from '../core/audience/reasons.ts'
import { Unavailable } from '../core/errors.ts'
import { letterheadOf } from '../core/mail/letterhead.ts'
import { linksOf } from '../core/mail/links.ts'
import { slotAtOrBefore } from '../core/time/calendar.ts'
import { hashEmail } from '../core/tokens.ts'
import { findByEmailHash } from '../db/people/subscribers.ts'
import { startServer } from '../http/server.ts'
import { findOrInstallProgram, redisServer } from '../machine/find-program.ts'
import { openApp } from '../open-app.ts'
import { startWorker } from '../worker.ts'
import { addSampleData, type SampleKind, type SampleReader, sampleReaders } from './sample-data.ts'

const LOOK_EVERY_MS = 200

/**
 * Runs the whole program for an invented practice: everything that `start` runs, on a temporary database and a private
 * Redis, sending this week's edition to an emulated Resend. Runs until Ctrl-C, or with `once` until the edition is finished.
 * `json` prints its counts as one document on stdout, and everything else on stderr. It always cleans up after itself.
 * Throws `Unavailable` if a part is missing, or if `once` is set and the edition does not finish.
 */
export async function demo({ once, json }: { once: boolean; json: boolean }): Promise<void> {
  const output = json ? process.stderr : process.stdout
  const say = (text: string) => void output.write(`${text}\n`)
  const stop = stopSignal(() => say('\nStopping.'))
  await findRedis(say)

  await using stage = new AsyncDisposableStack()
  const { app, readers, inbox, envFile } = await setUp(stage)
  const zones = new Set(readers.map(({ timeZone }) => timeZone)).size
  const size = `${number(readers.length)} readers in ${zones} time zones`
  say(`${app.config.practice}, an invented practice, emails its ${size}:\n`)
  const progress = process.stderr.isTTY ? progressBar(process.stderr) : progressLines(output)
  const summary = await mailEdition(app, stop, progress)
  const mails = await inbox.mails()
  if (json)
    process.stdout.write(`${JSON.stringify({ ...countsOf(summary), inbox: mails.length }, null, 2)}\n`)
  say(`\n${outcome(summary)}`)
  if (once && summary.state !== 'submitted')
    throw new Unavailable(`The edition is not finished: it is ${summary.state}.`)
  if (once || stop.aborted) return

  say(await tour(app, readers, { summary, inbox: inbox.url, mails, envFile }))
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
  const [port, mailPort] = await freePorts()
  const inbox = await startInbox(mailPort)
  stage.defer(() => inbox.close())
  const settings = demoSettings(folder.path, port, inbox.url)
  const envFile = join(folder.path, 'env')
  writeFileSync(envFile, asShell(settings), { flag: 'wx', mode: 0o600 })

  // People who try the form wait for its email.
  const app = await openApp(loadConfig(settings), { pace: { answerMs: 0, emailDelayMs: () => 0 } })
  stage.defer(() => app.close())
  await addSampleData(app)
  const server = await startServer(app)
  stage.defer(() => server.close())
  const worker = await startWorker(app, { scheduled: true })
  stage.defer(() => worker.stop())
  return { app, readers: sampleReaders(), inbox, envFile }
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

/** Two free ports, found in advance because links in emails contain them before anything listens there. */
async function freePorts(): Promise<[number, number]> {
  const [one, other] = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')]
  await Promise.all([happens(one, 'listening'), happens(other, 'listening')])
  const ports = [one, other].map((server) => (server.address() as AddressInfo).port)
  await Promise.all([happens(one.close(), 'close'), happens(other.close(), 'close')])
  return [ports[0] ?? 0, ports[1] ?? 0]
}

type Mail = { id: string; to: string[] }

const Mails = z.object({ data: z.array(z.object({ id: z.string(), to: z.array(z.string()) })) })

/** Resend's API, emulated by https://emulate.dev, with pages at `/inbox`. Accepts any key and emails no one. */
async function startInbox(port: number) {
  const { createEmulator } = await import('emulate').catch((cause: unknown) => {
    throw new Unavailable('The demo needs the development packages: run "npm ci" without --omit=dev.', {
      cause,
    })
  })
  const url = `http://127.0.0.1:${port}`
  const emulator = await createEmulator({ service: 'resend', port, baseUrl: url })
  return {
    url,
    close: () => emulator.close(),
    mails: async (): Promise<Mail[]> => Mails.parse(await (await fetch(`${url}/emails`)).json()).data,
  }
}

function demoSettings(folder: string, port: number, resend: string): Record<string, string> {
  return {
    DATABASE_PATH: join(folder, 'demo.db'),
    RESEND_API_KEY: 're_demo',
    RESEND_BASE_URL: resend,
    RESEND_REQUESTS_PER_SECOND: '1', // slow enough to watch
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    MAIL_REPLY_TO: 'hello@harbor.test',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    PORT: String(port),
    LINK_SECRET: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'warn',
  }
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

type Scene = { summary: Summary; inbox: string; mails: readonly Mail[]; envFile: string }

async function tour(
  app: App,
  readers: readonly SampleReader[],
  { summary, inbox, mails, envFile }: Scene,
): Promise<string> {
  const guide = readerOfKind(readers, 'regular')
  const away = readerOfKind(readers, 'paused')
  const mail = mails.find(({ to }) => to.includes(guide.email))
  const subscriber = await findByEmailHash(app.store, hashEmail(app.hashKey, guide.email))
  const links = linksOf(app.config.LINK_SECRET, letterheadOf(app.config))
  const publicId = subscriber?.publicId ?? ''
  return `
  All emails      ${inbox}/inbox
  ${`${guide.name}'s email`.padEnd(14)}  ${inbox}/inbox/${mail?.id ?? ''}
  Unsubscribe ${guide.name} (one button)
                  ${links.unsubscribe(publicId)}
  Preferences     ${links.preferences(publicId)}
  Group times     ${app.config.PUBLIC_URL}/sessions
  Subscribe       ${app.config.PUBLIC_URL}/

To continue, in a second terminal in this folder:
  . ${envFile}
  npm run -s openseat -- edition show ${summary.id}
  npm run -s openseat -- explain ${away.email} ${summary.id}
  npm run -s openseat -- edition resend ${summary.id} --to ${guide.email}

Ctrl-C ends the demo and cleans up.`
}

function readerOfKind(readers: readonly SampleReader[], kind: SampleKind): SampleReader {
  const found = readers.find((reader) => reader.kind === kind)
  if (!found) throw new Error(`no one in the sample data is ${kind}`)
  return found
}

/** Exports every setting, also empty ones, so that none comes from another installation's `.env`. */
function asShell(settings: Record<string, string>): string {
  return settingNames()
    .map((name) => `export ${name}='${(settings[name] ?? '').replaceAll("'", String.raw`'\''`)}'\n`)
    .join('')
}
