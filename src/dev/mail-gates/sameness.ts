import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { counted, type Finding } from './finding.ts'
import type { Mail } from './mail.ts'

/** Somewhere else on another day: whatever reads the clock, the zone or the language of the machine shows. */
const DAYS = [
  { at: '2026-11-30T14:00:00Z', env: { TZ: 'America/New_York', LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8' } },
  { at: '2027-03-29T01:59:00Z', env: { TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } },
]

/** The same mails made on two days, on two machines, are the same bytes. */
export async function sameness(mails: readonly Mail[]): Promise<Finding[]> {
  const made = await Promise.all(DAYS.map(({ at, env }) => emailsMadeOn(at, env, mails)))
  return mails.map(({ name, email }) => {
    const same = made.every((emails) => emails[name] === JSON.stringify(email))
    return counted('same bytes on two days', name, same ? [] : ['the bytes differ'])
  })
}

/** The same mails in JSON, as another process makes it whose clock stands still at `at`. */
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
