import type { Installation } from '../../app.ts'
import type { Config } from '../../config.ts'
import { BadInput } from '../../core/errors.ts'
import { parseSubscriberRow, SUBSCRIBER_COLUMNS } from '../../core/intake/records.ts'
import { hashEmail, newPublicId } from '../../core/tokens.ts'
import { recordOf } from '../../db/audit.ts'
import { closeStaging } from '../../db/imports/staging.ts'
import {
  applySubscribers,
  type LeftUnchanged,
  stageSubscribers,
  stagingForSubscribers,
} from '../../db/imports/subscribers.ts'
import { allTopics } from '../../db/sessions/sessions.ts'
import { failpoint } from '../../failpoint.ts'
import { readRecords } from '../../files/read-records.ts'
import { byLine, type ImportResult, isAlready, refused, stageEntries } from './records.ts'

type Needs = Pick<Installation, 'store' | 'hashKey' | 'now'> & {
  config: Pick<Config, 'DIGEST_TIME_ZONE' | 'LOCALE'>
}

/**
 * Adds subscribers from a CSV or JSON file as active, each with `consent` (how and when they agreed) on record. Updates the
 * name, zone, language, and topics of active ones if the file has them. People who unsubscribed, have not confirmed, or are
 * suppressed stay so and are reported, as are repeated addresses. Invalid rows refuse the whole file, unless `skipInvalid`
 * leaves them out. No message contains an address. Throws `BadInput` if `consent` is empty.
 */
export async function importSubscribers(
  { store, hashKey, config, now }: Needs,
  file: AsyncIterable<Uint8Array | string>,
  { consent, skipInvalid }: { consent: string; skipInvalid: boolean },
): Promise<ImportResult> {
  if (consent.trim() === '')
    throw new BadInput('--consent is empty; say how and when these people agreed to get the emails')
  const slugs = new Set((await allTopics(store)).map((topic) => topic.slug))
  const staging = await stagingForSubscribers(store)
  try {
    const { invalid, duplicates, broken, placeOf } = await stageEntries(readRecords(file), {
      columns: SUBSCRIBER_COLUMNS,
      parse: (record) => parseSubscriberRow(record, slugs),
      stage: (rows) => stageSubscribers(store, staging, rows.map(withNames)),
    })
    const again = duplicates.map(({ line, firstLine }) => ({
      ...{ ...placeOf(line), field: 'email' },
      message: `${isAlready(placeOf(firstLine))}, which counts`,
    }))
    if (broken || (invalid.length > 0 && !skipInvalid)) return refused([...invalid, ...again])

    const admission = { consent: consent.trim(), timeZone: config.DIGEST_TIME_ZONE, locale: config.LOCALE }
    failpoint('after-stage')
    const { leftUnchanged, ...counts } = await applySubscribers(store, staging, admission, now())
    const { added, updated, unchanged } = counts
    const detail = `${added} added, ${updated} changed, ${unchanged} as before`
    if (added + updated > 0)
      await recordOf(store, now(), { action: 'subscribers imported', subject: 'a file', detail })
    failpoint('after-import')
    const left = leftUnchanged.map((one) => ({
      ...placeOf(one.line),
      field: 'email',
      message: whyLeftUnchanged(one),
    }))
    return { kind: 'imported', report: { ...counts, rejected: byLine([...invalid, ...again, ...left]) } }
  } finally {
    await closeStaging(staging)
  }

  function withNames<Row extends { row: { email: string } }>(staged: Row) {
    return { ...staged, emailHash: hashEmail(hashKey, staged.row.email), publicId: newPublicId() }
  }
}

function whyLeftUnchanged({ outcome, reason }: LeftUnchanged): string {
  switch (outcome) {
    case 'unsubscribed':
      return 'has unsubscribed; an import does not bring them back'
    case 'pending':
      return 'has not confirmed yet; an import does not confirm for them'
    case 'suppressed':
      return `is suppressed (${reason}); it must get no email`
  }
}
