import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { signedWebhook, webhookEvent } from '../resend/webhooks.ts'
import type { Case } from './case.ts'
import {
  addOperator,
  awaitThrough,
  closeInstallation,
  type Installation,
  isThrough,
  makeInstallation,
  QUICKER,
  rowFor,
  runProgram,
  startProgram,
  startWorker,
  stopPrograms,
  WEBHOOK_SECRET,
} from './installation.ts'
import { freePort, type Program, until } from './programs.ts'
import { plainRow, type Row } from './scenario.ts'
import { writeReaders } from './seed.ts'

/** A database is created by processes that die while doing so. */
export async function migrating({ context, name, workers, title }: Case): Promise<Row> {
  const installation = await makeInstallation(context, { subscribers: 0 })
  const { startedAt, folder } = installation
  try {
    const file = join(folder, 'new.db')
    const env = { DATABASE_PATH: file }
    const kills = await armedTogether(installation, ['sessions', 'list'], { name, workers, env })
    const after = await runProgram(installation, ['sessions', 'list'], { env })
    const problems = reached(kills)
    if (after.code !== 0) problems.push(`the next start fails: ${after.output.slice(-200)}`)
    else problems.push(...problemsOfFile(file))
    const seconds = (performance.now() - startedAt) / 1000
    const passed = problems.length === 0
    return plainRow({ scenario: title, kills, seconds, passed, note: problems.join('; ') })
  } finally {
    await closeInstallation(installation)
  }
}

/** A list is imported by processes that die while doing so, imported again, then emailed. */
export async function importing({ context, name, workers, title }: Case): Promise<Row> {
  const [there, added] = [50, 150]
  const installation = await makeInstallation(context, { subscribers: there })
  try {
    const file = join(installation.folder, 'readers.csv')
    writeReaders(file, there + 1, added)
    const command = ['subscribers', 'import', file, '--consent', 'asked on paper']
    const kills = await armedTogether(installation, command, { name, workers })
    const again = await runProgram(installation, command)
    const problems = reached(kills)
    if (again.code !== 0) problems.push(`the second import fails: ${again.output.slice(-200)}`)
    startWorker(installation)
    if (!(await awaitThrough(installation))) problems.push('the edition was not through within two minutes')
    await stopPrograms(installation)
    return await rowFor(installation, title, { kills, problems, expected: { recipients: there + added } })
  } finally {
    await closeInstallation(installation)
  }
}

/** An edition is resent to everyone by a command that dies while doing so: each reader gets it once per generation. */
export async function resending({ context, name, workers, title }: Case): Promise<Row> {
  const installation = await makeInstallation(context, { subscribers: 150 })
  try {
    // If a command dies before it enqueues, the sweep does it; its interval is shortened here.
    const worker = startWorker(installation, { waits: QUICKER })
    const problems: string[] = []
    if (!(await awaitThrough(installation))) problems.push('the edition was not through within two minutes')
    if (workers === 1) await worker.kill('SIGTERM')
    const command = ['edition', 'resend', installation.editionId, '--all', '--yes']
    const kills = await armedTogether(installation, command, { name, workers: 1 })
    problems.push(...reached(kills))
    // Either it was planned before the kill and is refused now, or it is planned now; never both.
    if (generations(installation) < 1) await runProgram(installation, command)
    if (workers === 1) startWorker(installation)
    const done = () => generations(installation) === 1 && isThrough(installation)
    await until(done, 'the resend is finished', 120_000).catch((error: Error) => problems.push(error.message))
    await stopPrograms(installation)
    const { accepted } = await installation.standIn.summary()
    if (accepted !== 300) problems.push(`${accepted} emails accepted where 300 were to be`)
    return await rowFor(installation, title, { kills, problems, note: 'twice each: edition and resend' })
  } finally {
    await closeInstallation(installation)
  }
}

/** An edition waits for an operator, who approves it by a command that dies while doing so: then it goes out, once. */
export async function approving({ context, name, workers, title }: Case): Promise<Row> {
  const installation = await makeInstallation(context, {
    subscribers: 150,
    settings: { APPROVAL: 'always' },
  })
  try {
    addOperator(installation)
    // If a command dies before it wakes the sweep, the next sweep sees it; its interval is shortened here.
    startWorker(installation, { waits: QUICKER })
    const { ledger, editionId } = installation
    const count = (sql: string) => Number(ledger.prepare(sql).pluck().get())
    const told = () =>
      count("select count(*) from notices where kind = 'review' and state = 'submitted'") === 1
    await until(told, 'the operator has heard of it', 60_000)
    const command = ['edition', 'approve', editionId]
    const problems = count('select count(*) from editions') === 0 ? [] : ['it did not wait']
    const kills = await armedTogether(installation, command, { name, workers })
    problems.push(...reached(kills))
    // One that was approved before the kill may be planned by now; then this is refused.
    await runProgram(installation, command)
    if (!(await awaitThrough(installation))) problems.push('the edition was not through within two minutes')
    await stopPrograms(installation)
    const { accepted } = await installation.standIn.summary()
    if (accepted !== 151) problems.push(`${accepted} emails accepted where 151 were to be`)
    return await rowFor(installation, title, { kills, problems, note: 'and one to the operator' })
  } finally {
    await closeInstallation(installation)
  }
}

/** A webhook is posted to processes that die while handling it, then posted again: it must be recorded once. */
export async function reporting({ context, name, workers, title }: Case): Promise<Row> {
  const installation = await makeInstallation(context, { subscribers: 20, standIn: ['--keep-bodies'] })
  try {
    startWorker(installation)
    const problems: string[] = []
    if (!(await awaitThrough(installation))) problems.push('the edition was not through within two minutes')
    await stopPrograms(installation)
    const report = await aBounce(installation)
    const webs = await startWebs(installation, workers, name)
    await Promise.all(webs.map(({ url }) => report.post(url)))
    await until(() => webs.some(({ program }) => program.hasEnded()), 'the failpoint is reached').catch(
      () => {},
    )
    const kills = webs.filter(({ program }) => program.hasEnded()).length
    problems.push(...reached(kills))
    for (const { program } of webs) await program.kill()
    const [web] = await startWebs(installation, 1)
    const again = web ? await report.post(web.url) : null
    if (again !== 200) problems.push(`the report that came again is answered ${again}`)
    const { ledger } = installation
    const count = (sql: string) => Number(ledger.prepare(sql).pluck().get())
    if (count('select count(*) from provider_events') !== 1) problems.push('the report is not recorded once')
    if (count('select bounced from editions') !== 1) problems.push('the bounce is not counted once')
    if (count('select count(*) from suppressions') !== 1) problems.push('the address is not suppressed')
    return await rowFor(installation, title, { kills, problems })
  } finally {
    await closeInstallation(installation)
  }
}

const reached = (kills: number): string[] => (kills === 0 ? ['the failpoint was not reached'] : [])

const generations = ({ ledger }: Installation): number =>
  Number(ledger.prepare('select max(generation) from deliveries').pluck().get())

type Armed = { name: string; workers: 1 | 2; env?: Record<string, string> }

/** Runs a command in one or two armed processes at the same time; returns how many died at the failpoint. */
async function armedTogether(
  installation: Installation,
  command: readonly string[],
  { name, workers, env = {} }: Armed,
): Promise<number> {
  const run = () => runProgram(installation, command, { failpoint: name, env })
  const ended = await Promise.all(Array.from({ length: workers }, run))
  return ended.filter(({ signal }) => signal === 'SIGKILL').length
}

function problemsOfFile(file: string): string[] {
  const db = new Database(file)
  try {
    const verdict = db.pragma('integrity_check', { simple: true })
    const topics = db.prepare('select count(*) from topics').pluck().get()
    return verdict === 'ok' && topics === 10 ? [] : [`integrity ${String(verdict)}, ${String(topics)} topics`]
  } finally {
    db.close()
  }
}

async function aBounce({ standIn }: Installation) {
  const [mail] = await standIn.accepted()
  if (!mail) throw new Error('nothing was accepted, so nothing can be reported')
  const bounce = { bounce: { type: 'Permanent', subType: 'General', message: 'no such mailbox' } }
  const event = webhookEvent('email.bounced', mail, Date.now(), bounce)
  const { headers, body } = signedWebhook(WEBHOOK_SECRET, event, { id: `msg_${randomUUID()}` })
  return {
    /** The status of the answer; null if the process died. */
    async post(url: string): Promise<number | null> {
      try {
        return (await fetch(`${url}/webhooks/resend`, { method: 'POST', headers, body })).status
      } catch {
        return null
      }
    },
  }
}

/** Starts `openseat web` and waits until it answers; armed if a failpoint is given. */
export async function startWebs(
  installation: Installation,
  count: number,
  failpoint?: string,
): Promise<{ program: Program; url: string }[]> {
  const start = async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const env = { PORT: String(port) }
    const program = startProgram(installation, ['web'], { env, ...(failpoint && { failpoint }) })
    const answers = () =>
      fetch(`${url}/healthz`).then(
        ({ status }) => status < 500,
        () => false,
      )
    await until(async () => program.hasEnded() || (await answers()), 'the pages answer')
    if (program.hasEnded()) throw new Error(`web did not start: ${program.output().slice(-500)}`)
    return { program, url }
  }
  return Promise.all(Array.from({ length: count }, start))
}
