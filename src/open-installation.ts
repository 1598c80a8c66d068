import type { Installation, Overrides } from './app.ts'
import type { Config } from './config.ts'
import { BadInput } from './core/errors.ts'
import { type HashKey, newHashKey, unwrapKey, wrapKey } from './core/tokens.ts'
import { openStore } from './db/open.ts'
import { lookForCopy } from './db/restore/epoch.ts'
import { changeFact, establishFact } from './db/restore/facts.ts'
import { type Store, storeFor } from './db/store.ts'
import { openLog } from './log.ts'

/**
 * Opens the database of this installation and its keys; `close()` closes it. A copy is marked held.
 * Throws `BadInput` when LINK_SECRET is not the one the database was made with.
 */
export async function openInstallation(config: Config, overrides: Overrides = {}): Promise<Installation> {
  const log = overrides.log ?? openLog(config.LOG_LEVEL)
  const opened = overrides.store ?? (await openStore(config))
  const store = overrides.actor ? storeFor(opened, overrides.actor) : opened
  const close = () => store.close()
  try {
    const now = overrides.now ?? (() => new Date(Date.now() + store.clockOffsetMs()))
    await lookForCopy(store, now())
    const hashKey = await openHashKey(store, config.LINK_SECRET)
    return { config, store, actor: store.actor, hashKey, log, now, close }
  } catch (error) {
    await close()
    throw error
  }
}

// The key is stored encrypted with the first link secret, so that secrets can be rotated and the file alone reveals nothing.
async function openHashKey(store: Store, secrets: readonly string[]): Promise<HashKey> {
  const [signing = ''] = secrets
  const wrapped = await establishFact(store, 'hash_key', wrapKey(signing, newHashKey()))
  for (const secret of secrets) {
    const key = unwrapKey(secret, wrapped)
    if (key === null) continue
    if (secret !== signing) await changeFact(store, 'hash_key', wrapKey(signing, key))
    return key
  }
  throw new BadInput(
    'LINK_SECRET is not the one this database was made with. Put the old secret behind the new one, after a comma: LINK_SECRET=new,old',
  )
}
