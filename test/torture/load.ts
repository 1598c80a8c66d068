import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { newPublicId, signToken } from '../../src/core/tokens.ts'
import { signedWebhook } from '../resend/webhooks.ts'
import {
  closeInstallation,
  type Installation,
  LINK_SECRET,
  makeInstallation,
  startProgram,
  WEBHOOK_SECRET,
} from './installation.ts'
import { NOTHING, type Phase, rowsFor, type Sample } from './page-times.ts'
import { type Program, startNode, until } from './programs.ts'
import type { Context, Row, Scenario } from './scenario.ts'

const [MANY, FEW] = [1_000_000, 50_000]
/** Time between requests, whether or not the last one was answered: ten a second of each kind. */
const EVERY_MS = 25
const SENDING_MS = { full: 20_000, quick: 5_000 }
/** Readers whose links are used; they are unsubscribed during the run. */
const LEAVERS = 4_000

export const scenarios: Scenario[] = [
  { name: 'pages while sending', group: 'load', quick: true, run: (context) => pagesWhileSending(context) },
]

/** Requests pages forty times a second while the same process plans, then submits, a long list. */
async function pagesWhileSending(context: Context): Promise<Row[]> {
  const count = context.quick ? FEW : MANY
  const started = performance.now()
  const installation = await makeInstallation(context, {
    subscribers: 1,
    settings: { RESEND_REQUESTS_PER_SECOND: 'auto' },
    standIn: ['--rps', '10'],
  })
  try {
    addReaders(installation, count)
    context.say(`${count} readers are on the list`)
    const bare = startNode([join(import.meta.dirname, 'bare-server.ts')], {
      cwd: installation.folder,
      env: {},
    })
    installation.programs.push(bare)
    const nothing = await addressOf(bare)
    const watched = join(installation.folder, 'held')
    writeFileSync(watched, '')
    // As a URL, because a blank in the path would end the option.
    const loopWatch = pathToFileURL(join(import.meta.dirname, 'loop-watch.ts')).href
    const env = { NODE_OPTIONS: `--import ${loopWatch}`, LOOP_WATCH_FILE: watched }
    const start = startProgram(installation, ['start'], { env })
    const url = await addressOf(start)
    await until(() => start.output().includes('openseat is running') || start.hasEnded(), 'it has started')
    const samples = await ask(
      installation,
      requestsFor(installation, url, nothing),
      context.quick ? SENDING_MS.quick : SENDING_MS.full,
    )
    const { accepted } = await installation.standIn.summary()
    const seconds = (performance.now() - started) / 1000
    return rowsFor(samples, { count, accepted, seconds, watched })
  } finally {
    await closeInstallation(installation)
  }
}

/** Written directly to the tables: import is measured elsewhere. */
function addReaders({ file }: Installation, count: number): void {
  const db = new Database(file)
  // The random keys of a million rows do not fit into the default cache of 2 MB; pages would be rewritten again and again.
  for (const setting of ['synchronous = OFF', 'cache_size = -500000']) db.pragma(setting)
  const add = db.prepare(
    `insert into subscribers (public_id, email, email_hash, name, status, time_zone, consent_text, consented_at, created_at)
     values (?, ?, ?, 'Mara', 'active', ?, 'asked on paper', 0, 0)`,
  )
  const zones = ['America/New_York', 'America/Chicago', 'America/Denver', 'Europe/London']
  db.transaction(() => {
    for (let n = 2; n <= count; n += 1)
      add.run(newPublicId(), `reader-${n}@sample.test`, `hash-${n}`, zones[n % zones.length])
  })()
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

async function addressOf(program: Program): Promise<string> {
  const said = () => /"address":"(http[^"]+)"/.exec(program.output())?.[1]
  await until(() => said() !== undefined || program.hasEnded(), 'the pages are served')
  const url = said()
  if (url === undefined) throw new Error(`start ended: ${program.output().slice(-500)}`)
  return url
}

/** Sends requests from before planning begins until a while after it ends. */
async function ask(
  installation: Installation,
  requests: (n: number) => { kind: string; ask(): Promise<number> },
  sendingMs: number,
): Promise<Sample[]> {
  const samples: Sample[] = []
  const inFlight = new Set<Promise<void>>()
  const planning = installation.ledger
    .prepare("select 1 from editions where state <> 'planning' limit 1")
    .pluck()
  let phase: Phase = 'planning'
  let until = Number.POSITIVE_INFINITY
  const started = performance.now()
  for (let n = 0; performance.now() < until; n += 1) {
    const due = started + n * EVERY_MS
    await pause(Math.max(0, due - performance.now()))
    if (phase === 'planning' && n % 10 === 0 && planning.get() !== undefined) {
      phase = 'sending'
      until = performance.now() + sendingMs
    }
    const one = requests(n)
    const at = Date.now()
    const inPhase = phase
    const asked = one.ask().then((status) => {
      samples.push({ kind: one.kind, phase: inPhase, at, ms: performance.now() - due, status })
    })
    inFlight.add(asked)
    void asked.finally(() => inFlight.delete(asked))
  }
  await Promise.all(inFlight)
  return samples
}

/** The nth request, in turn: a health check, a one-click unsubscribe, a webhook, and a request to the bare server. */
function requestsFor({ ledger }: Installation, url: string, nothing: string) {
  const leavers = ledger
    .prepare<[number], string>('select public_id from subscribers order by id desc limit ?')
    .pluck()
    .all(LEAVERS)
  // Asks only about the first batch, which is submitted first: scanning all deliveries would block this process.
  const submitted = ledger
    .prepare<[], string>(
      'select provider_id from deliveries where batch_id = (select min(id) from batches) and provider_id is not null limit 1',
    )
    .pluck()
  const status = async (path: string, init: RequestInit = {}, at = url) => {
    try {
      const answer = await fetch(at + path, init)
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    }
  }
  return (n: number): { kind: string; ask(): Promise<number> } => {
    if (n % 4 === 0) return { kind: NOTHING, ask: () => status('/', {}, nothing) }
    if (n % 4 === 1) return { kind: '/healthz', ask: () => status('/healthz') }
    if (n % 4 === 2) {
      const token = signToken(LINK_SECRET, 'unsubscribe', leavers[n % leavers.length] ?? '')
      const body = 'List-Unsubscribe=One-Click'
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return {
        kind: '/unsubscribe',
        ask: () => status(`/unsubscribe/${token}`, { method: 'POST', headers, body }),
      }
    }
    const at = new Date().toISOString()
    const data = {
      created_at: at,
      email_id: submitted.get() ?? randomUUID(),
      from: 'a@mail.harbor.test',
      to: [],
      subject: '',
    }
    const { headers, body } = signedWebhook(WEBHOOK_SECRET, { type: 'email.delivered', created_at: at, data })
    return { kind: 'webhooks', ask: () => status('/webhooks/resend', { method: 'POST', headers, body }) }
  }
}
