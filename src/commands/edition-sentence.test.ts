import { expect, test } from '@jest/globals'
import type { Summary } from '../actions/editions/show.ts'
import { editionSentences } from './edition-sentence.ts'

const NONE = { candidates: 0, submitted: 0, excluded: {}, failed: 0, unknown: 0, waiting: 0 }

const summary = (state: Summary['state'], edition: Partial<Summary['edition']>): Summary => ({
  ...{ id: '2026-11-30', state, scheduledFor: '2026-11-30T14:00:00Z', pauseReason: null, throughSeq: 9 },
  ...{ ...NONE, batches: 3, batchStates: {}, retrying: null, resends: [] },
  edition: { ...NONE, ...edition },
})

test.each<[Summary['state'], Partial<Summary['edition']>, string]>([
  [
    'submitted',
    { candidates: 250, submitted: 211, excluded: { paused: 9, 'nothing-new': 30 } },
    'Edition 2026-11-30: 211 of 250 people were emailed. 39 were skipped: 30 nothing new, 9 paused.',
  ],
  [
    'submitted',
    { candidates: 1200, submitted: 1196, failed: 3, unknown: 1 },
    'Edition 2026-11-30: 1,196 of 1,200 people were emailed. 3 failed. For 1, no certain answer came: the email may have been sent.',
  ],
  [
    'submitting',
    { candidates: 250, submitted: 100, waiting: 150 },
    'Edition 2026-11-30: 100 of 250 people were emailed so far. 150 are waiting.',
  ],
  [
    'paused',
    { candidates: 2, submitted: 1, waiting: 1 },
    'Edition 2026-11-30 is paused: 1 of 2 people were emailed so far. 1 is waiting.',
  ],
  [
    'cancelled',
    { candidates: 1, excluded: { cancelled: 1 } },
    'Edition 2026-11-30 was cancelled: 0 of 1 person was emailed. 1 was skipped: 1 cancelled.',
  ],
  ['cancelled', {}, 'Edition 2026-11-30 was cancelled: there was no one to email.'],
  [
    'planning',
    { candidates: 500, waiting: 480 },
    'Edition 2026-11-30 is still being planned, for 500 people so far.',
  ],
])('%s, %j: %s', (state, edition, sentence) => {
  expect(editionSentences(summary(state, edition))).toBe(sentence)
})
