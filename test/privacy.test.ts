import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

/** For each bullet of Privacy in docs/promises.md, by its first words: the tests that prove it. Null: advice, which no test can prove. */
const HELD_BY: Record<string, readonly (readonly [file: string, test: string])[] | null> = {
  'The database holds addresses': null,
  'The form gives the same answer': [
    ['src/http/public/join/join.test.ts', 'the response is the same for every state of an address'],
    ['src/http/public/join/join.test.ts', 'one address is written to three times in thirty days at most'],
    ['src/http/steadily.test.ts', 'whatever comes of the work, and however fast'],
  ],
  'Only their owner can read its files': [
    ['src/files/private-file.test.ts', 'a planted link is replaced and what it names stays'],
    ['src/actions/restore/back-up.test.ts', 'a backup is one whole file that only its owner can read'],
    ['src/commands/spills.test.ts', 'what an import does not hold in memory is in an unnamed file'],
  ],
  'The data of an email is deleted': [
    ['src/actions/retention/wipe.test.ts', 'in a quiet week what an email was made from is gone'],
    ['src/actions/retention/wipe.test.ts', 'with a reader open the erasure says what is left'],
    ['src/actions/retention/wipe.test.ts', 'an address that was moved by a page split is erased'],
  ],
  'Who was emailed what': [
    ['src/actions/retention/prune.test.ts', 'what is older than RETENTION_DAYS is removed within a day'],
    ['src/actions/retention/prune.test.ts', 'copies of migrations, and drafts of such copies'],
  ],
  '`subscribers export` prints everything': [
    [
      'src/actions/subscribers/personal-data.test.ts',
      'every column that may contain personal data has a decision',
    ],
    ['src/actions/subscribers/personal-data.test.ts', 'the export has every column of personal data'],
    ['src/actions/subscribers/personal-data.test.ts', 'after an erasure no column holds what was theirs'],
    ['src/actions/retention/wipe.test.ts', 'the person is also erased from migration copies'],
    ['src/actions/imports/subscribers.test.ts', 'erasing removes the person and keeps the ledger whole'],
  ],
  'Consent is kept': [
    ['src/actions/imports/subscribers.test.ts', 'new subscribers are active with the consent on record'],
  ],
  'Discreet readers get': [['src/core/mail/digest.test.ts', 'a discreet email does not even mention groups']],
  'The pages set no cookie': [
    ['src/http/server.test.ts', 'every answer is kept from caches, scripts, frames'],
  ],
}

test('each sentence on privacy in the docs has tests that prove it', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/promises.md'), 'utf8')
  const section = page.split(/^## /m).find((part) => part.startsWith('Privacy\n')) ?? ''
  const bullets = [...section.matchAll(/^- (.+)$/gm)].map(([, words = '']) => words)
  const begins = Object.keys(HELD_BY)
  expect(bullets.filter((words) => !begins.some((begin) => words.startsWith(begin)))).toEqual([])
  expect(begins.filter((begin) => !bullets.some((words) => words.startsWith(begin)))).toEqual([])
  for (const [file, name] of Object.values(HELD_BY).flatMap((tests) => tests ?? [])) {
    const source = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
    expect([`test('${name}`, `testOnSqlite('${name}`].some((start) => source.includes(start))).toBe(true)
  }
})
