import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

/** A TCP proxy on a free local port that can lose bytes, as a router with a stale entry does. */
export type TcpProxy = {
  port: number
  /** How many connections are open. */
  connections(): number
  /**
   * From now on, loses every byte of the open connections, in both directions, without closing them. Does the same to
   * new connections, for `ms`. Returns how many were open.
   */
  blackHole(ms: number): number
  /** Resets every connection. */
  close(): Promise<void>
}

/** Starts a proxy in front of `target`. */
export async function startTcpProxy(target: NetConnectOpts): Promise<TcpProxy> {
  const pairs = new Set<{ ends: Socket[]; lost: boolean }>()
  let blindUntil = 0

  const server = createServer((near) => {
    const far = connect(target)
    const pair = { ends: [near, far], lost: performance.now() < blindUntil }
    pairs.add(pair)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true)
      from.on('data', (bytes) => pair.lost || to.write(bytes))
      // The other end of a lost connection must not notice even this.
      from.on('close', () => pair.lost || to.destroy())
      from.on('error', () => from.destroy())
    }
    near.on('close', () => pair.lost || pairs.delete(pair))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    connections: () => [...pairs].filter(({ ends: [near] }) => near?.destroyed === false).length,
    blackHole(ms) {
      blindUntil = performance.now() + ms
      const open = [...pairs].filter(({ lost }) => !lost)
      for (const pair of open) pair.lost = true
      return open.length
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const { ends } of pairs) for (const end of ends) end.resetAndDestroy()
      await closed
    },
  }
}
