import { open, rm, stat } from 'node:fs/promises'
import type { Installation } from '../../app.ts'
import { BadInput } from '../../core/errors.ts'
import { finishCopy } from '../../db/sqlite/copies.ts'

/**
 * Writes a copy of the database to `file`, readable only by its owner, and checks it. A restored copy is held until an
 * operator releases it. Throws `BadInput` if the file exists or cannot be created, or the database is on Postgres. After any failure, no file is left.
 */
export async function backupTo(
  { store, now }: Pick<Installation, 'store' | 'now'>,
  file: string,
): Promise<{ bytes: number }> {
  if (store.sqlite === null)
    throw new BadInput(
      'the database is on Postgres: copy it with pg_dump --format=custom "$DATABASE_URL" --file=FILE',
    )
  // Created here and not by SQLite, so that others can never read it, and it is never someone else's file.
  const made = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new BadInput(`${file} exists already; name a new file`)
    throw new BadInput(`cannot write ${file} (${error.code}); check the folder and who may write there`)
  })
  await made.close()
  try {
    const takenAt = now().getTime() // what is recorded from here on may be missing
    await store.sqlite.backUp(file)
    const problems = finishCopy(file, takenAt)
    if (problems.length > 0) throw new Error(`the copy is damaged: ${problems[0]}`)
    return { bytes: (await stat(file)).size }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}
