import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LINK_SECRET } from './app.ts'
import { aDatabase, onPostgres } from './db.ts'
import { startResendStandIn } from './resend/stand-in.ts'

const CLI = join(import.meta.dirname, '../src/cli.ts')

export type Program = Awaited<ReturnType<typeof realProgram>>
/** What the program asks, and the keys pressed then. */
type Turn = readonly [question: string, answer: string]
type Given = { input?: string; settings?: Record<string, string> }

/** The real command line in a folder of its own, with a private Redis of its own and a Resend stand-in, for tests. */
export async function realProgram() {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-cli-'))
  const resend = await startResendStandIn({ apiKey: 're_stand_in' })
  const children: ReturnType<typeof spawn>[] = []
  const file = { DATABASE_PATH: join(folder, 'data/openseat.db') }
  const database: Record<string, string> = onPostgres ? { ...file, DATABASE_URL: await aDatabase() } : file

  const environment = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    ...database,
    RESEND_API_KEY: 're_stand_in',
    RESEND_BASE_URL: resend.url,
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET,
    PORT: '0',
    OPERATOR_PORT: 'off',
  }

  /** A setting of '' counts as not set. */
  const start = (args: string[], { input = '', settings = {} }: Given = {}) => {
    const env = { ...environment, ...settings }
    const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env })
    children.push(child)
    child.stdin.end(input)
    const output = { out: '', err: '' }
    child.stdout.on('data', (chunk) => (output.out += chunk))
    child.stderr.on('data', (chunk) => (output.err += chunk))
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
    return { child, output, ended }
  }

  /** Runs a command on a pseudo terminal, and types each answer once its question is there. Stdout and stderr are one. */
  const converse = async (args: string[], dialog: readonly Turn[], settings: Record<string, string> = {}) => {
    // Without `exec`, Ctrl-C would also end the shell.
    const line = `exec ${[process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ')}`
    const env = { ...environment, ...settings, SHELL: '/bin/sh', TERM: 'xterm' }
    const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: folder, env })
    children.push(child)
    let [out, read, turn] = ['', 0, 0]
    child.stdout.on('data', (chunk) => {
      out += chunk
      for (
        let [question, answer] = dialog[turn] ?? [];
        question !== undefined;
        [question, answer] = dialog[turn] ?? []
      ) {
        const at = out.indexOf(question, read)
        if (at < 0) break
        read = at + question.length
        turn += 1
        child.stdin.write(answer ?? '')
      }
    })
    const [code] = await once(child, 'close')
    return {
      code: code as number | null,
      out: out.replaceAll('\r', ''),
      unasked: dialog.slice(turn).map(([question]) => question),
    }
  }

  return {
    folder,
    /** The settings of its database. */
    database,
    resend,
    start,
    run: (args: string[], given?: Given) => start(args, given).ended,
    converse,
    async close() {
      for (const child of children) child.kill('SIGKILL')
      await resend.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
