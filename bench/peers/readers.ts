import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Offer } from '../../src/core/sessions/offers.ts'
import { signToken } from '../../src/core/tokens.ts'
import { benchEnvironment, SLOT } from '../settings.ts'
import { type PeerDigest, type PeerPage, peerPage } from './digest-words.ts'
import type { Prepared } from './prepare.ts'

/** One email of a peer, without its body. */
export type PeerMail = {
  from: string
  to: string
  replyTo: string
  subject: string
  headers: Record<string, string>
  view: PeerDigest
}

export type Readers = {
  /** Handlebars templates of the two bodies. */
  sources: { html: string; text: string }
  /** Null if they were emailed already or nothing is new to them. */
  mailFor(subscriberId: number): PeerMail | null
  /** Ids of readers who have not been emailed yet. */
  owed(): number[]
  markMailed(subscriberId: number): void
}

type Row = { publicId: string; email: string; name: string; timeZone: string; topics: string; done: number }

const MOST_SESSIONS = 15

/**
 * What all peers share, done as efficiently as possible: sessions are read once, statements are prepared, the words of a
 * page are made once for all readers with the same time zone and topics, SQLite runs in its cheaper durable mode, and each
 * emailed reader is marked.
 */
export function openReaders(file: string, preparedFile: string): Readers {
  const { offers, html } = JSON.parse(readFileSync(preparedFile, 'utf8')) as Prepared
  const text = readFileSync(join(import.meta.dirname, 'digest.txt.hbs'), 'utf8')
  const { readSubscriber, readOwed, markMailed } = statements(file)
  const pageFor = pages(offers)
  return {
    sources: { html, text },
    mailFor(subscriberId) {
      const row = readSubscriber.get(SLOT.editionId, subscriberId)
      const page = row && !row.done ? pageFor(row) : null
      return row && page ? mailOf(row, page) : null
    },
    owed: () => readOwed.pluck().all(SLOT.editionId),
    markMailed: (subscriberId) => void markMailed.run(SLOT.editionId, subscriberId),
  }
}

function statements(file: string) {
  const sqlite = new Database(file)
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = NORMAL')
  return {
    readSubscriber: sqlite.prepare<[string, number], Row>(
      `select public_id as publicId, email, name, time_zone as timeZone, last_edition_id is ? as done,
         (select json_group_array(topic_id) from subscriber_topics where subscriber_id = subscribers.id and chosen) as topics
       from subscribers where id = ?`,
    ),
    readOwed: sqlite.prepare<[string], number>(
      'select id from subscribers where last_edition_id is not ? order by id',
    ),
    markMailed: sqlite.prepare('update subscribers set last_edition_id = ? where id = ?'),
  }
}

function pages(offers: readonly Offer[]): (row: Row) => PeerPage | null {
  const known = new Map<string, PeerPage | null>()
  const make = ({ timeZone, topics }: Row): PeerPage | null => {
    const chosen = JSON.parse(topics) as number[] // none = every topic
    const shown = offers.filter(({ topicId }) => chosen.length === 0 || chosen.includes(topicId))
    return shown.length > 0 ? peerPage(SENDER, shown.slice(0, MOST_SESSIONS), timeZone) : null
  }
  return (row) => {
    const key = `${row.timeZone}|${row.topics}`
    const page = known.get(key) ?? make(row)
    known.set(key, page)
    return page
  }
}

const SETTINGS = benchEnvironment('', '', '')
const SENDER = {
  practice: 'Harbor Groups',
  replyTo: SETTINGS.MAIL_REPLY_TO ?? '',
  postalAddress: SETTINGS.POSTAL_ADDRESS ?? '',
  publicUrl: SETTINGS.PUBLIC_URL ?? '',
}

function mailOf({ publicId, email, name }: Row, page: PeerPage): PeerMail {
  const link = (purpose: 'unsubscribe' | 'preferences') =>
    `${SENDER.publicUrl}/${purpose}/${signToken(SETTINGS.LINK_SECRET ?? '', purpose, publicId)}`
  const unsubscribeUrl = link('unsubscribe')
  return {
    from: SETTINGS.MAIL_FROM ?? '',
    to: email,
    replyTo: SENDER.replyTo,
    subject: page.subject,
    headers: {
      'List-Unsubscribe': `<${unsubscribeUrl}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
    view: { ...page, name, unsubscribeUrl, preferencesUrl: link('preferences') },
  }
}
