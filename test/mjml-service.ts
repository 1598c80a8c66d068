/** Runs as a child process: compiles MJML sources, a JSON list per request, at the Unix socket in its argument. */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { compile } from '../src/templates/mjml-process.ts'

const server = createServer(async (request, response) => {
  const sources = (await json(request)) as string[]
  response.end(JSON.stringify(await Promise.all(sources.map(compile))))
})
server.listen(process.argv[2], () => process.send?.('ready'))
// The test run may be killed, and then nobody stops this process.
process.on('disconnect', () => process.exit())
