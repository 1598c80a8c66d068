import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SinkUsage } from './sinks.ts'

/**
 * Accepts any email with as little work as possible: a strict stand-in would parse four megabytes a request and be what is
 * measured. Emails of a batch are counted by their recipient fields (a quote inside a JSON string is always escaped, so
 * the mark is nowhere else). `GET /usage` answers `SinkUsage`, `POST /record` writes the next bodies to a file.
 */
function startSink(): void {
  const taken = { mails: 0, requests: 0, bytes: 0 }
  const pauses = { since: 0, longestMs: 0 }
  let cpu = process.cpuUsage()
  let recording = { file: '', left: 0 }

  const control = async (request: IncomingMessage): Promise<unknown> => {
    if (request.url === '/record') {
      recording = JSON.parse((await collect(request)).toString()) as typeof recording
      return {}
    }
    const { user, system } = process.cpuUsage(cpu)
    const usage: SinkUsage = {
      mails: taken.mails,
      requests: taken.requests,
      megabytes: taken.bytes / 1e6,
      cpuSeconds: (user + system) / 1e6,
      pauseSeconds: pauses.longestMs / 1000,
    }
    Object.assign(taken, { mails: 0, requests: 0, bytes: 0 })
    Object.assign(pauses, { since: 0, longestMs: 0 })
    cpu = process.cpuUsage()
    return usage
  }

  const accept = async (request: IncomingMessage): Promise<unknown> => {
    const at = performance.now()
    if (pauses.since > 0) pauses.longestMs = Math.max(pauses.longestMs, at - pauses.since)
    pauses.since = at
    const keep = recording.left > 0 && request.url === '/emails/batch'
    if (keep) recording.left -= 1
    const { marks, bytes, body } = await scan(request, keep)
    if (keep) appendFileSync(recording.file, Buffer.concat([body, Buffer.from('\n')]))
    taken.requests += 1
    taken.bytes += bytes
    if (request.url !== '/emails/batch') {
      taken.mails += 1
      return { id: randomUUID() }
    }
    taken.mails += marks
    return { data: Array.from({ length: marks }, () => ({ id: randomUUID() })), errors: [] }
  }

  const server = createServer((request, response) => {
    const isMail = request.url?.startsWith('/emails') ?? false
    ;(isMail ? accept(request) : control(request)).then(
      (answer) => reply(response, answer),
      () => response.destroy(), // the client left
    )
  })
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1', () =>
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
  )
  process.once('disconnect', () => process.exit())
}

const MARK = Buffer.from('"to":[')

/** Counts the marks chunk by chunk, with the end of the last chunk in front of the next. */
async function scan(request: IncomingMessage, keep: boolean) {
  const kept: Buffer[] = []
  let tail = Buffer.alloc(0)
  let marks = 0
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (keep) kept.push(chunk)
    marks += count(Buffer.concat([tail, chunk.subarray(0, MARK.length - 1)])) + count(chunk)
    tail = Buffer.concat([tail, chunk.subarray(1 - MARK.length)]).subarray(1 - MARK.length)
  }
  return { marks, bytes, body: Buffer.concat(kept) }
}

function count(bytes: Buffer): number {
  let marks = 0
  for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + MARK.length)) marks += 1
  return marks
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function reply(response: ServerResponse, answer: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

if (import.meta.main) startSink()
