import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers every request at once, to measure how slow this machine is for a server that does nothing. Prints its address. */
const server = createServer((request, response) => {
  request.resume()
  response.end('ok')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
