import type { Command } from 'commander'
import { databaseIn } from '../config.ts'
import { command, type Terminal } from './terminal.ts'

/** Adds `backup` and `migrate`. */
export function addBackup(openseat: Command, terminal: Terminal): void {
  openseat
    .command('backup')
    .argument('<file>', 'where to write the copy; must not exist yet')
    .description('write a checked copy of the database while openseat runs')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (file: string, options: { json?: boolean }) => backup(terminal, file, options)))
    .addHelpText(
      'after',
      `
The copy contains all private data, so only you can read it (mode 0600). To
restore it, stop openseat, put the copy where DATABASE_PATH points, and keep the
same LINK_SECRET. It starts on hold: nothing is sent until you run
"openseat release". On Postgres, use pg_dump instead.

Example:
  $ openseat backup backups/2026-11-23.db`,
    )
  openseat
    .command('migrate')
    .description('create the database or update its schema (start does this too)')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: { json?: boolean }) => migrate(terminal, options)))
    .addHelpText('after', '\nExample:\n  $ openseat migrate')
}

async function backup(terminal: Terminal, file: string, options: { json?: boolean }): Promise<undefined> {
  const { backupTo } = await import('../actions/restore/back-up.ts')
  const { bytes } = await terminal.withInstallation((installation) => backupTo(installation, file))
  const size = `${(bytes / 1_048_576).toFixed(1)} MB`
  terminal.show(
    options,
    { file, bytes },
    `Wrote and checked ${file} (${size}). You also need this LINK_SECRET to restore it. Keep it somewhere else.`,
  )
}

async function migrate(terminal: Terminal, options: { json?: boolean }): Promise<undefined> {
  const { appliedMigrations } = await import('../db/checks.ts')
  await terminal.withInstallation(async ({ store, config }) => {
    const migrations = await appliedMigrations(store)
    const path = config.DATABASE_URL === undefined ? config.DATABASE_PATH : databaseIn(config)
    terminal.show(
      options,
      { database: path, migrations },
      `The database ${path} is up to date (migration ${migrations}).`,
    )
  })
}
