import { userInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { App, Installation, SweepWaker } from '../app.ts'
import type { Config } from '../config.ts'
import { BadInput } from '../core/errors.ts'
import { printable } from '../core/text/printable.ts'
import type { Logger } from '../log.ts'

/**
 * What commands get: the settings, the database or the whole program if they need it, and a place to write. Heavy modules are
 * loaded where they are used, so that `--help` answers at once.
 */
export type Terminal = {
  env: Record<string, string | undefined>
  stdin: Readable & { isTTY?: boolean }
  stderr: Writable & { isTTY?: boolean }
  /** The exit code of the process; `command` sets it. */
  exitCode: number
  /** The settings. Throws `BadInput` with all their errors. */
  config(): Promise<Config>
  /** The log of a short command: only what needs attention, unless LOG_LEVEL is set. */
  log(config: Config): Promise<Logger>
  /** Opens the database for `work`, and closes it. */
  withInstallation<T>(work: (installation: Installation) => Promise<T>): Promise<T>
  /** Opens the database and the queue for `work`, which commits something and enqueues it; closes them. */
  withQueue<T>(work: (app: Installation & Pick<App, 'queue'>) => Promise<T>): Promise<T>
  /** Opens the database and what wakes the sweep for `work`, which commits something that the sweep continues; closes them. */
  withWaker<T>(work: (app: Installation & { queue: SweepWaker }) => Promise<T>): Promise<T>
  /** Opens everything for `work`, and closes it. */
  withApp<T>(work: (app: App) => Promise<T>): Promise<T>
  /** The result, on stdout: the document with `--json`, else the text. */
  show(options: { json?: boolean }, document: unknown, text: string): void
  /** A line for the person at the terminal, on stderr. */
  note(text: string): void
}

export function openTerminal(env: Terminal['env']): Terminal {
  const actor = { kind: 'command' as const, user: userName() }
  const config = async () => {
    const settings = (await import('../config.ts')).loadConfig(env)
    // SQLite writes what does not fit in memory to temporary files, including addresses. Keep them on the database's disk.
    // It reads this when it starts. https://www.sqlite.org/tempfiles.html#temporary_file_storage_locations
    env.SQLITE_TMPDIR ??= dirname(resolve(settings.DATABASE_PATH))
    return settings
  }
  const log = async ({ LOG_LEVEL }: Config) =>
    (await import('../log.ts')).openLog(env.LOG_LEVEL ? LOG_LEVEL : 'warn')
  return {
    env,
    stdin: process.stdin,
    stderr: process.stderr,
    exitCode: 0,
    config,
    log,
    async withInstallation(work) {
      const settings = await config()
      const { openInstallation } = await import('../open-installation.ts')
      return closing(await openInstallation(settings, { log: await log(settings), actor }), work)
    },
    async withQueue(work) {
      const settings = await config()
      const { openInstallationAndQueue } = await import('../open-queue.ts')
      return closing(await openInstallationAndQueue(settings, { log: await log(settings), actor }), work)
    },
    async withWaker(work) {
      const settings = await config()
      const { openInstallationAndWaker } = await import('../open-queue.ts')
      return closing(await openInstallationAndWaker(settings, { log: await log(settings), actor }), work)
    },
    async withApp(work) {
      const settings = await config()
      const { openApp } = await import('../open-app.ts')
      return closing(await openApp(settings, { log: await log(settings), actor }), work)
    },
    show({ json }, document, text) {
      process.stdout.write(`${printable(json ? JSON.stringify(document, null, 2) : text)}\n`)
    },
    note(text) {
      process.stderr.write(`${printable(text)}\n`)
    },
  }
}

/** Wraps the handler of a command, which returns the exit code, or nothing for 0. */
export function command<Args extends unknown[]>(
  terminal: Terminal,
  work: (...args: Args) => Promise<number | undefined>,
) {
  return async (...args: Args): Promise<void> => {
    terminal.exitCode = (await work(...args)) ?? 0
  }
}

/** The id of an edition as typed. Throws `BadInput` if it cannot be one. */
export function editionId(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00Z`).toJSON()?.startsWith(text)) return text
  throw new BadInput('ID is not the id of an edition; write its date, for example 2026-11-23')
}

export function noSuchEdition(id: string): BadInput {
  return new BadInput(`there is no edition ${id}; "openseat edition list" shows those there are`)
}

/** Who runs the command. An id without a name in a container's /etc/passwd makes Node throw. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}

async function closing<Opened extends { close(): Promise<void> }, T>(
  opened: Opened,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
