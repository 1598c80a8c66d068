import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The file in the temporary folder that names the test that failed. */
export const FAILED = 'failed-test'

type Finished = { status: string; fullName: string }

/** A reporter for Jest: ends the run at the first test that fails, and leaves its name behind. */
export default function firstFailure() {
  return {
    onTestCaseResult(_file: unknown, { status, fullName }: Finished): void {
      if (status !== 'failed') return
      writeFileSync(join(tmpdir(), FAILED), fullName)
      process.exit(1)
    },
  }
}
