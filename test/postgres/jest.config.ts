import common from '../../jest.config.ts'

/** Every test again on Postgres, save those of what SQLite alone does: its files, locks, copies, and pages. */
export default {
  ...common,
  rootDir: '../..',
  testPathIgnorePatterns: [
    '/test/browser/',
    '/test/deploy/',
    '/src/db/sqlite/',
    '/src/db/trouble.test.ts', // SQLite's codes
    '/src/db/restore/epoch.test.ts', // the witness beside a file
    '/src/actions/restore/', // copies of a file
    '/src/actions/retention/wipe.test.ts', // what a file keeps of deleted rows
    '/src/commands/spills.test.ts',
    '/src/files/',
    '/src/core/',
    '/src/redis/',
    '/src/templates/',
    '/src/resend/',
    '/src/machine/',
    '/test/mail/',
    '/test/torture/',
    '/test/cli-release.test.ts',
    '/test/cli-trouble.test.ts', // a locked or damaged file
    '/src/worker-broken-disk.test.ts',
    '/src/http/locked.test.ts',
  ],
}
