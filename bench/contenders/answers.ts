import { explain } from '../../src/actions/editions/explain.ts'
import { summaries, summaryOf } from '../../src/actions/editions/show.ts'
import { hashEmail, signToken } from '../../src/core/tokens.ts'
import { findByEmailHash } from '../../src/db/people/subscribers.ts'
import { startServer } from '../../src/http/server.ts'
import { openApp } from '../../src/open-app.ts'
import { benchConfig, quietLog } from '../installation.ts'
import { readerAt } from '../list.ts'
import { type Measured, measured, optionsFromBench, tellBench } from '../measure.ts'
import { clockFromSlot, SLOT } from '../settings.ts'

export type AnswersOptions = { file: string; subscribers: number; times: number }
/** Milliseconds. The first answer includes loading and compiling; `status` is null if it is not a page. */
export type Answer = {
  question: string
  first: number
  median: number
  slowest: number
  status: number | null
}
export type AnswersOutcome = Measured & { answers: Answer[] }

// Requests by operators and readers after an edition, in the process of `web`. `mails` counts the answers.
const { file, subscribers, times } = optionsFromBench<AnswersOptions>()
const config = { ...benchConfig(file, 'http://127.0.0.1:9'), PORT: 0 }
const app = await openApp(config, { log: quietLog(), now: clockFromSlot() })
const server = await startServer(app)
const { email } = readerAt(Math.floor(subscribers / 2))
const publicId = (await findByEmailHash(app.store, hashEmail(app.hashKey, email)))?.publicId ?? ''
const token = (purpose: 'unsubscribe' | 'preferences') =>
  signToken(config.LINK_SECRET[0] ?? '', purpose, publicId)

const answers: Answer[] = []
const outcome = await measured(async () => {
  await ask('`edition show`', () => summaryOf(app, SLOT.editionId))
  await ask('`edition list`', () => summaries(app))
  await ask('`explain`', () => explain(app, email, SLOT.editionId))
  for (const path of ['/', '/sessions', '/sessions?topic=anxiety', `/editions/${SLOT.editionId}`])
    await askPage(path)
  await askPage(`/preferences/${token('preferences')}`, '/preferences/…')
  await askPage(`/unsubscribe/${token('unsubscribe')}`, '/unsubscribe/…')
  for (const path of ['/feed.xml', '/healthz', '/readyz', '/metrics']) await askPage(path)
  return answers.length * times
})
tellBench({ ...outcome, answers })
await server.close()
await app.close()

async function askPage(path: string, name = path): Promise<void> {
  let status = 0
  const get = async () => {
    const response = await fetch(server.address + path)
    status = response.status
    await response.arrayBuffer()
  }
  await ask(`GET ${name}`, get)
  Object.assign(answers.at(-1) ?? {}, { status })
}

async function ask(question: string, work: () => Promise<unknown>): Promise<void> {
  const taken: number[] = []
  for (let n = 0; n <= times; n += 1) {
    const started = performance.now()
    await work()
    taken.push(performance.now() - started)
  }
  const [first = 0, ...rest] = taken
  const sorted = rest.sort((a, b) => a - b)
  const [median = 0, slowest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  answers.push({ question, first, median, slowest, status: null })
}
