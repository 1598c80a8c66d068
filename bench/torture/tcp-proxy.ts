import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

/** A TCP proxy on a free port of this machine that can lose bytes as a dead entry in a router's table does. */
export type TcpProxy = {
  port: number
  /** How many connections go through it now. */
  connections(): number
  /**
   * From now on every byte of the connections that are open is lost, in both directions, and neither end is told; so it
   * goes with new ones too, for `ms`. Returns how many were open.
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
      // The other end of a lost pair learns nothing, not even this.
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
