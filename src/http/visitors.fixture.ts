import { openApp } from '../app.ts'
import { loadConfig } from '../config.ts'
import { openLog } from '../log.ts'
import { buildServer } from './server.ts'

// Asks the real pages as many odd visitors do, and prints by how many MB the process has grown. Run with --expose-gc.
const count = Number(process.argv[2])
const app = await openApp(loadConfig({ ...process.env, DATABASE_PATH: ':memory:' }), {
  log: openLog('silent'),
  redis: { path: process.env.OPENSEAT_TEST_REDIS ?? '' },
})
const server = await buildServer(app)
const ask = async (url: string, language = 'en') => {
  const { statusCode } = await server.inject({ url, headers: { 'accept-language': language } })
  if (statusCode !== 200) throw new Error(`${url} answers ${statusCode}`)
}
const pages = ['/', '/sessions']
for (let n = 0; n < 100; n += 1) for (const page of pages) await ask(page)
const before = memory()
for (let n = 0; n < count; n += 1) {
  const odd = n.toString(36).padStart(8, 'x')
  await ask(pages[n % 2] ?? '/', `en-US-${odd}`)
  await ask(`/sessions?lang=es-${region(n)}-x-${odd}&tz=${spelling(n)}`)
}
process.stdout.write(`${Math.round((memory() - before) / 2 ** 20)}\n`)
await server.close()
await app.close()
process.exit(0)

function memory(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

function region(n: number): string {
  const letter = (index: number) => String.fromCharCode(65 + (index % 26))
  return letter(Math.floor(n / 26)) + letter(n)
}

/** A zone that there is, or one in another case, each time another. */
function spelling(n: number): string {
  const zones = Intl.supportedValuesOf('timeZone')
  if (n % 2 === 0) return zones[(n / 2) % zones.length] ?? ''
  const name = 'America/Argentina/ComodRivadavia'
  return Array.from(name, (letter, index) =>
    (n >> (index % 12)) & 1 ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('')
}
