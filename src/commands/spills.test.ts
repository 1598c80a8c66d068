import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { testConfig } from '../../test/app.ts'
import { aFolder } from '../../test/folder.ts'

// SQLite chooses its folder when the first database of a process is opened, so this needs one of its own.
const SCRIPT = `
import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { openTerminal } from ${JSON.stringify(join(import.meta.dirname, 'terminal.ts'))}
await openTerminal(process.env).withInstallation(async ({ store }) => {
  const { connection } = store.sqlite
  connection.exec("pragma temp.cache_size = 2; create table temp.spilled (a)")
  connection.exec("insert into temp.spilled with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) select randomblob(500) from n")
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try { return [[readlinkSync('/proc/self/fd/' + fd), statSync('/proc/self/fd/' + fd)]] } catch { return [] }
  })
  console.log(JSON.stringify(open.filter(([path]) => path.endsWith(' (deleted)')).map(([path, { mode }]) => [path, mode & 0o777])))
})`

test('what an import does not hold in memory is in an unnamed file beside the database, for its owner alone', async () => {
  const folder = aFolder()
  const { RESEND_API_KEY, MAIL_FROM, POSTAL_ADDRESS, PUBLIC_URL, LINK_SECRET } = testConfig()
  const env = {
    ...{ RESEND_API_KEY, MAIL_FROM, POSTAL_ADDRESS, PUBLIC_URL, LINK_SECRET: LINK_SECRET.join() },
    DATABASE_PATH: join(folder, 'data', 'openseat.db'),
  }
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', SCRIPT], { env })
  const spilled = JSON.parse(stdout) as [string, number][]
  expect(spilled.length).toBeGreaterThan(0)
  for (const [path, mode] of spilled) {
    expect(path).toContain(join(folder, 'data/'))
    expect(mode).toBe(0o600)
  }
})
