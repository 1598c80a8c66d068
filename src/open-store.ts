import type { Overrides, Store } from './app.ts'
import type { Config } from './config.ts'
import { BadInput } from './core/errors.ts'
import { type HashKey, newHashKey, unwrapKey, wrapKey } from './core/tokens.ts'
import { closeDb, type Db, openDb } from './db/open.ts'
import { lookForCopy } from './db/restore/epoch.ts'
import { changeFact, establishFact } from './db/restore/facts.ts'
import { openLog } from './log.ts'

/**
 * Opens the database of this installation and its keys; `close()` closes it. A copy is marked held.
 * Throws `BadInput` when LINK_SECRET is not the one the database was made with.
 */
export async function openStore(config: Config, overrides: Overrides = {}): Promise<Store> {
  const log = overrides.log ?? openLog(config.LOG_LEVEL)
  const db = overrides.db ?? openDb(config.DATABASE_PATH)
  const close = async () => closeDb(db)
  try {
    const now = overrides.now ?? (() => new Date())
    await lookForCopy(db, now())
    const hashKey = await openHashKey(db, config.LINK_SECRET)
    return { config, db, hashKey, log, now, close }
  } catch (error) {
    await close()
    throw error
  }
}

// The key is stored encrypted with the first link secret, so that secrets can be rotated and the file alone reveals nothing.
async function openHashKey(db: Db, secrets: readonly string[]): Promise<HashKey> {
  const [signing = ''] = secrets
  const wrapped = await establishFact(db, 'hash_key', wrapKey(signing, newHashKey()))
  for (const secret of secrets) {
    const key = unwrapKey(secret, wrapped)
    if (key === null) continue
    if (secret !== signing) await changeFact(db, 'hash_key', wrapKey(signing, key))
    return key
  }
  throw new BadInput(
    'LINK_SECRET: is not the one this database was made with. Put the old secret behind the new one, after a comma: LINK_SECRET=new,old',
  )
}
