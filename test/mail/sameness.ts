import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { counted, type Finding } from './finding.ts'
import type { Mail } from './mail.ts'

/** Two days in two places, so that reading the machine's clock, time zone, or language shows up. */
const DAYS = [
  { at: '2026-11-30T14:00:00Z', env: { TZ: 'America/New_York', LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8' } },
  { at: '2027-03-29T01:59:00Z', env: { TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } },
]

/** The same emails made on two days on two machines must be the same bytes. */
export async function sameness(mails: readonly Mail[]): Promise<Finding[]> {
  const made = await Promise.all(DAYS.map(({ at, env }) => emailsMadeOn(at, env, mails)))
  return mails.map(({ name, email }) => {
    const same = made.every((emails) => emails[name] === JSON.stringify(email))
    return counted('same bytes on two days', name, same ? [] : ['the bytes differ'])
  })
}

/** The same emails as JSON, made by another process whose clock stands still at `at`. */
async function emailsMadeOn(
  at: string,
  env: Record<string, string>,
  mails: readonly Mail[],
): Promise<Record<string, string>> {
  const clock = `const Real = Date, now = Real.parse('${at}')
    globalThis.Date = class Date extends Real {
      constructor(...args) { super(...(args.length ? args : [now])) }
      static now() { return now }
    }`
  const script = `import { everyMail } from ${JSON.stringify(new URL('./variants.ts', import.meta.url).href)}
    const names = new Set(${JSON.stringify(mails.map(({ name }) => name))})
    const made = (await everyMail((name) => names.has(name))).map(({ name, email }) => [name, JSON.stringify(email)])
    process.stdout.write(JSON.stringify(Object.fromEntries(made)))`
  const flags = [
    '--import',
    `data:text/javascript,${encodeURIComponent(clock)}`,
    '--input-type=module',
    '-e',
    script,
  ]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env, maxBuffer: 100_000_000 })
  return JSON.parse(stdout) as Record<string, string>
}
