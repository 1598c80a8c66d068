import type { Installation } from '../../app.ts'
import { BadInput } from '../../core/errors.ts'
import { openStore } from '../../db/open.ts'
import { type MovedTable, moveEverything } from '../../db/restore/move.ts'

/**
 * Copies a stopped installation on SQLite into an empty database on Postgres, where it arrives held. The file stays as it is.
 * Throws `BadInput` when this installation is not on SQLite, or the database there is not empty.
 */
export async function moveTo(
  { config, store, now }: Pick<Installation, 'config' | 'store' | 'now'>,
  url: string,
): Promise<MovedTable[]> {
  if (store.sqlite === null)
    throw new BadInput(
      'DATABASE_URL is set, so this installation is on Postgres already; unset it to move the file',
    )
  const target = await openStore({ ...config, DATABASE_URL: url })
  try {
    const moved = await moveEverything(store, target, now())
    if (moved.kind === 'not-empty')
      throw new BadInput(
        `--to: the database there is not empty (${moved.table} has rows), and nothing was written to it; name a new one`,
      )
    return moved.tables
  } finally {
    await target.close()
  }
}
