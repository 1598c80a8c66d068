import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { importSessions } from '../../actions/imports/sessions.ts'
import { loadConfig } from '../../config.ts'
import { sampleSessions } from '../../demo/sample-sessions.ts'
import { openLog } from '../../log.ts'
import { openApp } from '../../open-app.ts'
import { buildServer } from '../server.ts'

// Serves the real pages with a few sessions. Sends its address, and what it holds whenever it is asked. Run with --expose-gc.
const app = await openApp(loadConfig({ ...process.env, DATABASE_PATH: ':memory:' }), {
  log: openLog('silent'),
  redis: { path: process.env.OPENSEAT_TEST_REDIS ?? '' },
})
const rows = JSON.stringify(sampleSessions(app.now()).thisWeek.slice(0, 3))
await importSessions(app, Readable.from([rows]), { skipInvalid: false })
const server = await buildServer(app)

// Those that are alive: what nobody needs any more is not counted once it was collected.
let formatters = 0
const collected = new FinalizationRegistry(() => {
  formatters -= 1
})
Intl.DateTimeFormat = new Proxy(Intl.DateTimeFormat, {
  construct(kind, args, target) {
    const made = Reflect.construct(kind, args, target)
    formatters += 1
    collected.register(made, undefined)
    return made
  },
})

process.on('message', () => void tell())
process.on('disconnect', () => process.exit(0))
process.send?.(await server.listen({ port: 0, host: '127.0.0.1' }))

async function tell(): Promise<void> {
  await globalThis.gc?.({ type: 'major', execution: 'async' })
  await setImmediate()
  process.send?.({ formatters, mb: process.memoryUsage.rss() / 2 ** 20 })
}
