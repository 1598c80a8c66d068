import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { findProgram } from '../../src/machine/find-program.ts'
import { broken, complaints, soundMail } from './broken.fixture.ts'
import { spamassassin, spamScores } from './spam-assassin.ts'

// Without SpamAssassin this fails with the line that installs it.
test('SpamAssassin accepts a sound email and says what is wrong with a loud one', async () => {
  const sound = await soundMail()
  const loud = await broken(sound, ({ html }) => ({
    subject: 'FREE!!! GROUP TIMES $$$ NOW',
    html: html.replace('</body>', '<p style="color:#fffefc;background:#fffefb">hidden words</p></body>'),
  }))
  const [first, second] = await spamScores([sound, loud], 1)
  expect(first).toMatchObject({ figure: expect.any(Number), limit: 0.1, faults: [] })
  expect(first?.figure).toBeLessThanOrEqual(0.1)
  expect(second?.figure).toBeGreaterThan(0.1)
  expect(complaints(second ? [second] : [])).toMatch(/SUBJ_ALL_CAPS|HTML_FONT_LOW_CONTRAST/)
}, 60_000)

test('where SpamAssassin is missing, the error is the line that installs it', () => {
  const bin = mkdtempSync(join(tmpdir(), 'openseat-bin-'))
  writeFileSync(join(bin, 'apt-get'), '#!/bin/sh\n', { mode: 0o755 })
  const machine = { env: { PATH: bin }, isRoot: true }
  expect(() => findProgram(spamassassin, machine)).toThrow(/apt-get install .* spamassassin$/)
  rmSync(bin, { recursive: true })
})
