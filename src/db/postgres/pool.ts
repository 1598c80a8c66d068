import type { Pool, PoolClient } from 'pg'
import { waitOf } from '../../failpoint.ts'
import { ConnectionLost } from '../trouble.ts'

/** How long the other side may say nothing: a black-holed connection would never answer. */
export const silenceMs = (): number => waitOf('database', 20_000)

/** Runs `work` on a connection. Throws `ConnectionLost` when Postgres cannot be reached, or the connection broke. */
export type Lend = <Result>(work: (client: PoolClient) => Promise<Result>) => Promise<Result>

/** One connection, until `release`. */
export type Checkout = { client: PoolClient; use: Lend; release: () => void }

export type Lender = { lend: Lend; checkOut: () => Promise<Checkout> }

/**
 * Where one connection breaks, the others may be dead without a word, as behind a firewall that forgot them. So none that is
 * older than the last break is used again.
 */
export function lenderOf(pool: Pool): Lender {
  const madeAt = new WeakMap<PoolClient, number>()
  let brokeAt = 0
  pool.on('connect', (client) => {
    madeAt.set(client, performance.now())
    // One that is cut while lent, between two queries. Without a listener the process ends; with it, the next query fails.
    client.on('error', () => {})
  })
  // An idle connection that is cut is replaced at its next use.
  pool.on('error', () => {})

  async function connected(): Promise<PoolClient> {
    for (;;) {
      const client = await pool.connect().catch(lost)
      if ((madeAt.get(client) ?? 0) >= brokeAt) return client
      client.release(true)
    }
  }

  async function checkOut(): Promise<Checkout> {
    const client = await connected()
    let broken = false
    const use: Lend = (work) =>
      work(client).catch((error: unknown) => {
        if (isBroken(error)) [broken, brokeAt] = [true, performance.now()]
        return lost(error)
      })
    return { client, use, release: () => client.release(broken) }
  }

  return {
    checkOut,
    async lend(work) {
      const { use, release } = await checkOut()
      return use(work).finally(release)
    },
  }
}

/** Whether the connection can no longer be used. After an error from the server it can, unless the server closes it. */
export function isBroken(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true
  if (isOfServer(error)) return codeOf(error).startsWith('57P')
  return error instanceof Error && OF_CONNECTION.test(`${codeOf(error)} ${error.message}`)
}

/** Throws it, as `ConnectionLost` where it is about the connection. */
function lost(error: unknown): never {
  if (!isBroken(error) || error instanceof ConnectionLost) throw error
  throw new ConnectionLost(`Postgres cannot be reached (${(error as Error).message})`, { cause: error })
}

/** The server's code of five characters, or node's. https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const codeOf = (error: unknown): string => (error as { code?: string } | null)?.code ?? ''

const isOfServer = (error: unknown): boolean =>
  (error as { severity?: string } | null)?.severity !== undefined

/** What node and `pg` throw when a connection cannot be made, breaks, or does not answer. */
const OF_CONNECTION =
  /ECONN|ENOENT|EPIPE|ETIMEDOUT|EHOST|ENOTFOUND|EAI_|timeout|terminated|closed|ended|not queryable/i
