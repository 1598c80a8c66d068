import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { afterTest, eventually, testApp } from '../../test/app.ts'
import { subscribers } from '../db/schema/people.ts'
import { openSessions } from '../db/sessions/sessions.ts'
import { addSampleData } from './sample-data.ts'
import { sampleReaders } from './sample-readers.ts'
import { sampleSessions } from './sample-sessions.ts'

const root = join(import.meta.dirname, '../..')
/** The environment of someone who has no settings. */
const bare = { PATH: process.env.PATH, HOME: process.env.HOME }
const SLOW_MS = 120_000
const BOOKINGS = 'http://127.0.0.1:1'

test(
  'the demo sends this week’s edition, prints its counts, and cleans up',
  async () => {
    const demo = startDemo('--once', '--json')
    await demo.says('submitted')
    const redis = await redisOf(demo.tmp)
    expect(await ended(demo.child)).toBe(0)

    const counts = JSON.parse(demo.out()) as Record<'candidates' | 'submitted' | 'inbox', number> & {
      excluded: object
    }
    const excluded = Object.values(counts.excluded).reduce((sum, count) => sum + count, 0)
    expect(counts).toMatchObject({
      state: 'submitted',
      candidates: 250,
      failed: 0,
      unknown: 0,
      waiting: 0,
      batches: 7,
    })
    expect(counts.submitted + excluded).toBe(250)
    expect(counts.inbox).toBe(counts.submitted)
    expect(Object.keys(counts.excluded).sort()).toEqual(
      ['monthly-not-due', 'nothing-new', 'paused', 'pending', 'suppressed', 'unsubscribed'], // every one can be seen
    )
    expect(readdirSync(demo.tmp)).toEqual([])
    expect(isAlive(redis)).toBe(false)
  },
  SLOW_MS,
)

test(
  'every link and command that the demo prints works, until Ctrl-C ends it',
  async () => {
    const demo = startDemo()
    await demo.says('Ctrl-C ends')
    const redis = await redisOf(demo.tmp)

    const links = demo.out().match(/http:\S+/g) ?? []
    expect(links).toHaveLength(7)
    for (const link of links) expect(await fetch(link)).toMatchObject({ status: 200 })
    const [inbox, mail] = await Promise.all(links.slice(0, 2).map(textAt))
    expect(inbox).toContain('nora.abbott@sample.test')
    const frame = /<iframe [^>]*src="([^"]+)"/.exec(mail ?? '')?.[1] ?? ''
    const email = await textAt(new URL(frame.replaceAll('&#x3D;', '='), links[1]).href)
    expect(email).toContain(links[2]) // her own link, as she would click it
    const reserve = /href="(http:[^"]+\/book\/[^"]+)"/.exec(email)?.[1] ?? ''
    expect(await textAt(reserve)).toContain('Your own booking page would open here')

    const spanish = /href="([^"]+)">Carmen: in Spanish</.exec(inbox ?? '')?.[1] ?? ''
    const correo = await textAt(new URL(`${spanish}/email`, links[0]).href)
    expect(correo).toContain('Ansiedad')
    expect(correo).toContain('Mañanas tranquilas')

    const commands = demo.out().match(/(?<=^ {2})\.(\/openseat)? .*$/gm) ?? []
    expect(commands).toHaveLength(5)
    const { stdout } = await promisify(execFile)('sh', ['-ec', commands.join('\n')], {
      cwd: root,
      env: bare,
    })
    expect(stdout).toContain('Edition 2')
    expect(stdout).toContain('had paused until')
    // Says the doctor. On the day before the next edition it warns that nothing new was added for that one.
    expect(stdout).toMatch(/\nReady to send\.( \d warnings?\.)?\n$/)
    expect(stdout.match(/^(fail|warn {2}(?!review|approval)).*$/gm)).toBe(null)
    await eventually(
      async () => (await textAt(`${links[0]}?q=nora.abbott`)).match(/class="to">nora\.abbott/g)?.length === 2,
    )

    demo.child.kill('SIGINT')
    expect(await ended(demo.child)).toBe(0)
    expect(readdirSync(demo.tmp)).toEqual([])
    expect(isAlive(redis)).toBe(false)
  },
  SLOW_MS,
)

test(
  'a killed demo leaves no Redis and no folder behind',
  async () => {
    const demo = startDemo()
    await eventually(() => socketOf(demo.tmp) !== undefined, SLOW_MS)
    const redis = await redisOf(demo.tmp)
    demo.child.kill('SIGKILL')
    await eventually(() => !isAlive(redis) && readdirSync(demo.tmp).length === 0)
  },
  SLOW_MS,
)

// Weekdays, the weeks of clock changes, a leap day, and New Year's Eve.
test.each([
  '2026-11-23T15:00:00Z',
  '2026-11-24T03:30:00Z',
  '2026-10-29T12:00:00Z',
  '2027-03-12T12:00:00Z',
  '2028-02-27T23:59:00Z',
  '2026-12-31T23:59:59Z',
])(
  'the sample data fits the clock at %s: every session is in the future, and old readers have news',
  async (at) => {
    const app = await testApp({ at })
    await addSampleData(app, BOOKINGS)
    const { sessions, throughSeq } = await openSessions(app.store, app.now())
    expect(new Set(sessions.map(({ topicSlug }) => topicSlug)).size).toBe(10)
    expect(new Set(sessions.map(({ news }) => news))).toEqual(new Set(['new', 'moved', 'reopened']))
    const local = new Date(app.now().getTime() - 24 * 3_600_000).toISOString().slice(0, 10)
    for (const { startsAtLocal } of sessions) expect(startsAtLocal > local).toBe(true)

    const readers = app.db.select().from(subscribers).all()
    expect(readers).toHaveLength(250)
    expect(new Set(readers.map(({ timeZone }) => timeZone)).size).toBe(10)
    expect(readers.every(({ seenThrough }) => seenThrough < throughSeq)).toBe(true)
  },
)

test('the sample data is the same every time', () => {
  const now = new Date('2026-11-23T15:00:00Z')
  expect(sampleSessions(now)).toEqual(sampleSessions(now))
  expect(sampleReaders()).toEqual(sampleReaders())
  expect(new Set(sampleReaders().map(({ email }) => email)).size).toBe(250)
})

/** Runs the demo with a temporary folder of its own, so that a test can see what it leaves there. */
function startDemo(...options: string[]) {
  const tmp = mkdtempSync(join(tmpdir(), 'openseat-test-'))
  const env = { ...bare, TMPDIR: tmp }
  const child = spawn(process.execPath, ['src/cli.ts', 'demo', ...options], { cwd: root, env })
  const [out, err] = [gather(child.stdout), gather(child.stderr)]
  afterTest(async () => {
    child.kill('SIGTERM')
    await ended(child)
    rmSync(tmp, { recursive: true, force: true })
  })
  const says = async (words: string) => {
    const said = () => `${out()}${err()}`.includes(words)
    await eventually(() => said() || child.exitCode !== null, SLOW_MS)
    if (!said()) throw new Error(`the demo ended without saying "${words}": ${err()}`)
  }
  return { child, tmp, out, says }
}

const textAt = async (url: string): Promise<string> => (await fetch(url)).text()

function gather(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk) => (text += chunk))
  return () => text
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** The process id of the demo's private Redis. */
const socketOf = (tmp: string): string | undefined => globSync(join(tmp, '*/*/redis.sock'))[0]

async function redisOf(tmp: string): Promise<number> {
  const redis = new Redis({ path: socketOf(tmp) ?? '' })
  const info = await redis.info('server')
  redis.disconnect()
  return Number(/process_id:(\d+)/.exec(info)?.[1])
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
