import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import Database from 'better-sqlite3'
import { Queue, Worker } from 'bullmq'
import Handlebars from 'handlebars'
import { Redis } from 'ioredis'
import mjml2html from 'mjml'
import { Resend } from 'resend'
import { templateNow } from '../../src/actions/freeze-batch.ts'
import { seenBy } from '../../src/core/audience.ts'
import { offersAt, selectFor } from '../../src/core/content.ts'
import { digestView } from '../../src/core/digest-view.ts'
import { signToken } from '../../src/core/tokens.ts'
import { closeDb, openDb } from '../../src/db/open.ts'
import { openSessions } from '../../src/db/sessions.ts'
import { findProgram, redisServer } from '../../src/find-program.ts'
import { startPrivateRedis } from '../../src/private-redis.ts'
import { loadTemplates } from '../../src/templates.ts'
import { benchConfig, quietLog, SLOT } from '../installation.ts'
import { measured, optionsFromBench, tellBench } from '../measure.ts'

export type TextbookOptions = {
  file: string
  providerUrl: string
  mails: number
  concurrency: number
  tuned: boolean
}

type Row = { id: number; publicId: string; email: string; name: string; timeZone: string; topics: string }

// What most guides show: one job per subscriber, the template filled in and compiled for each, one request each.
// Sources are read and Handlebars compiled once, the include is inlined, sessions are read once, statements prepared, jobs added in
// bulk; SQLite runs in its cheaper durable mode, at the concurrency that did best here. `tuned` also turns MJML's checks off, which no
// guide does.
const { file, providerUrl, mails, concurrency, tuned } = optionsFromBench<TextbookOptions>()
const config = benchConfig(file, providerUrl)
const redis = await startPrivateRedis({
  folder: `${file}.redis`,
  binary: findProgram(redisServer),
  log: quietLog(),
})
const connection = new Redis({ path: redis.connection.path, maxRetriesPerRequest: null })
const resend = new Resend(config.RESEND_API_KEY, { baseUrl: providerUrl })
const template = (name: string) => readFileSync(resolve(import.meta.dirname, '../../templates', name), 'utf8')
const mjmlOf = Handlebars.compile(template('digest.mjml').replace(/<mj-include.*\/>/, template('look.mjml')))
const textOf = Handlebars.compile(template('digest.txt.hbs'), { noEscape: true })
const { letterhead } = templateNow({ config, templates: await loadTemplates() })
const { offers, throughSeq } = await readOffers()

const mjmlOptions = tuned ? ({ validationLevel: 'skip', fonts: {}, keepComments: false } as const) : {}
const sqlite = new Database(file)
sqlite.pragma('journal_mode = WAL')
sqlite.pragma('synchronous = NORMAL')
const readSubscriber = sqlite.prepare<[number], Row>(
  `select id, public_id as publicId, email, name, time_zone as timeZone,
     (select json_group_array(topic_id) from subscriber_topics where subscriber_id = subscribers.id and chosen) as topics
   from subscribers where id = ?`,
)
const markMailed = sqlite.prepare('update subscribers set last_edition_id = ? where id = ?')

const queue = new Queue('digest', { connection })
const outcome = await measured(async () => {
  const worker = new Worker('digest', (job) => mail(job.data.subscriberId as number), {
    connection,
    concurrency,
  })
  let done = 0
  const finished = new Promise<void>((allDone, failed) => {
    worker.on('completed', () => ++done === mails && allDone())
    worker.on('failed', (_job, error) => failed(error))
  })
  for (let from = 1; from <= mails; from += 1000) await queue.addBulk(jobsFrom(from))
  await finished
  await worker.close()
  return done
})
tellBench(outcome)
await queue.close()
connection.disconnect()
await redis.close()

async function mail(subscriberId: number): Promise<void> {
  const row = readSubscriber.get(subscriberId)
  if (!row) return
  const view = viewFor(row)
  if (view === null) return
  const { html } = await mjml2html(mjmlOf(view), mjmlOptions)
  const { error } = await resend.emails.send(
    {
      from: letterhead.from,
      to: [row.email],
      replyTo: letterhead.replyTo ?? '',
      subject: view.subject,
      html,
      text: textOf(view),
      headers: {
        'List-Unsubscribe': `<${view.unsubscribeUrl}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
      tags: [{ name: 'edition', value: SLOT.editionId }],
    },
    { idempotencyKey: `digest/${SLOT.editionId}/${subscriberId}` },
  )
  if (error) throw new Error(error.message)
  markMailed.run(SLOT.editionId, subscriberId)
}

function viewFor({ name, publicId, timeZone, topics }: Row) {
  const rows = (JSON.parse(topics) as number[]).map((topicId) => ({
    topicId,
    chosen: true,
    seenThrough: null,
  }))
  const selection = selectFor(seenBy(0, rows), offers, throughSeq, config.DIGEST_MAX_SESSIONS)
  if (selection === null) return null
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const page = digestView(letterhead, byId, { timeZone, locale: 'en', discreet: false, ...selection })
  const link = (purpose: 'unsubscribe' | 'preferences') =>
    `${letterhead.publicUrl}/${purpose}/${signToken(config.LINK_SECRET[0] ?? '', purpose, publicId)}`
  return { ...page, name, unsubscribeUrl: link('unsubscribe'), preferencesUrl: link('preferences') }
}

async function readOffers() {
  const db = openDb(file)
  const { sessions, throughSeq } = await openSessions(db, SLOT.at)
  closeDb(db)
  return { throughSeq, offers: offersAt(sessions, SLOT.at) }
}

function jobsFrom(from: number) {
  const size = Math.min(1000, mails - from + 1)
  const opts = { removeOnComplete: true, attempts: 3, backoff: { type: 'exponential', delay: 1000 } }
  return Array.from({ length: size }, (_, n) => ({ name: 'mail', data: { subscriberId: from + n }, opts }))
}
