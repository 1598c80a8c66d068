import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { SinkUsage } from './sinks.ts'

/**
 * Accepts any email over SMTP, reads it to the end and discards it. `GET /usage` answers `SinkUsage`, where requests count
 * emails; `GET /counts` returns how many emails each address got since the start.
 */
function startSmtpSink(): void {
  const counts: Record<string, number> = {}
  const taken = { mails: 0, bytes: 0 }
  let cpu = process.cpuUsage()

  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData(stream, { envelope }, done) {
      stream.on('data', (chunk: Buffer) => (taken.bytes += chunk.length))
      stream.once('end', () => {
        taken.mails += 1
        for (const { address } of envelope.rcptTo) counts[address] = (counts[address] ?? 0) + 1
        done()
      })
    },
  })
  smtp.on('error', () => {}) // a client that was killed resets its connection

  const usage = (): SinkUsage => {
    const { user, system } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    const { mails, bytes } = taken
    Object.assign(taken, { mails: 0, bytes: 0 })
    return { mails, requests: mails, megabytes: bytes / 1e6, cpuSeconds: (user + system) / 1e6 }
  }
  const control = createServer(({ url }, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(url === '/counts' ? counts : usage()))
  })
  control.listen(0, '127.0.0.1', () => {
    const listener = smtp.listen(0, '127.0.0.1', () => {
      const [url, smtpPort] = [`http://127.0.0.1:${portOf(control)}`, portOf(listener)]
      process.send?.({ url, smtpPort })
    })
  })
  process.once('disconnect', () => process.exit())
}

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

if (import.meta.main) startSmtpSink()
