import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { LINK_SECRET } from '../testing.ts'

// `node --expose-gc src/http/visitors.fixture.ts 2000` with the same settings is the whole of it.
const VISITORS = 300

test('whatever languages and zones visitors ask for, the process does not grow', async () => {
  const env = {
    ...process.env,
    RESEND_API_KEY: 're_stand_in',
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET,
  }
  const fixture = join(import.meta.dirname, 'visitors.fixture.ts')
  const run = promisify(execFile)(process.execPath, ['--expose-gc', fixture, String(VISITORS)], { env })
  const { stdout } = await run
  expect(stdout).toMatch(/^-?\d+\n$/)
  // Kept for each, these visitors would take 100 MB and more.
  expect(Number(stdout)).toBeLessThan(20)
}, 120_000)
