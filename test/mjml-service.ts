/** Runs as a child process: compiles MJML sources, a JSON list per request, at the Unix socket in its argument. */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { compile } from '../src/templates/mjml-process.ts'

async function compileAll(body: NodeJS.ReadableStream): Promise<string> {
  const sources = (await json(body)) as string[]
  return JSON.stringify(await Promise.all(sources.map(compile)))
}

const server = createServer((request, response) => {
  compileAll(request).then(
    (compiled) => response.end(compiled),
    (error: Error) => response.destroy(error),
  )
})
server.listen(process.argv[2], () => process.send?.('ready'))
// A killed test run cannot stop this process.
process.on('disconnect', () => process.exit())
