#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { program } from './commands/program.ts'
import { openTerminal } from './commands/terminal.ts'
import { BadInput, Stopped, Unavailable } from './core/errors.ts'
import { printable } from './core/text/printable.ts'
import { withoutAddresses } from './core/text/redact.ts'
import { databaseTrouble } from './db/trouble.ts'
import { obeyTests } from './failpoint.ts'
import { findEnvFile } from './files/env-file.ts'

const [DONE, FAILED, BAD_INPUT] = [0, 1, 2]
/** As shells expect of a program that Ctrl-C ends. */
const STOPPED = 130

// In the program's own folder, which only people who can change the program can write. Elsewhere it stays off.
if (process.env.NODE_COMPILE_CACHE === undefined)
  enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/openseat'))

// Node would print the error unredacted, with the parameters of a query.
for (const event of ['unhandledRejection', 'uncaughtException'] as const)
  process.on(event, (error: unknown) => process.exit(report(error)))
// `openseat … | head` closes the pipe early. That is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? DONE : FAILED),
)
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    loadEnvFile()
    obeyTests(process.env)
    const terminal = openTerminal(process.env)
    await program(terminal).parseAsync(args, { from: 'user' })
    return terminal.exitCode
  } catch (error) {
    return report(error)
  }
}

/** Reads the settings in `.env` that the environment does not have. `./openseat` names its own folder. */
function loadEnvFile(): void {
  const { values, warnings } = findEnvFile('.', process.env.OPENSEAT_FOLDER)
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  for (const [name, value] of Object.entries(values)) process.env[name] ??= value
}

/** Prints what went wrong on stderr, and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : BAD_INPUT // it has spoken already
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (error instanceof BadInput || error instanceof Unavailable) {
    process.stderr.write(`${printable(message)}\n`)
    return error instanceof BadInput ? BAD_INPUT : FAILED
  }
  if (error instanceof Stopped) {
    process.stderr.write(`${printable(message)}\n`)
    return STOPPED
  }
  const trouble = databaseTrouble(error)
  if (trouble !== null) {
    process.stderr.write(`the database cannot be used: ${trouble}\n`)
    return FAILED
  }
  const inDetail = ['debug', 'trace'].includes(process.env.LOG_LEVEL ?? '')
  const hint = 'Run it again with LOG_LEVEL=debug for details.'
  const shown = inDetail ? (stack ?? message) : `${message}\n${hint}`
  process.stderr.write(`${printable(withoutAddresses(shown))}\n`)
  return FAILED
}
