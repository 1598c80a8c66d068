import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { afterTest, LINK_SECRET } from '../../../test/app.ts'

type Held = { formatters: number; mb: number }

const VISITORS = 400

// In a process of its own, asked over HTTP, so that nothing but the server's memory is measured.
test('whatever languages and zones visitors ask for, the process does not grow', async () => {
  const child = startPages()
  const [base] = (await once(child, 'message')) as [string]
  const ask = async (path: string, language = 'en') => {
    const answer = await fetch(base + path, { headers: { 'accept-language': language } })
    await answer.text()
    if (answer.status !== 200) throw new Error(`${path} answers ${answer.status}`)
  }
  // The first of each language is what every visitor would cause; with the rest, the heap has found its size.
  for (let n = 0; n < 200; n += 1) await ask(n % 2 === 0 ? '/' : `/sessions?n=${n}`, n < 100 ? 'en' : 'es')
  const before = await held(child)

  for (let n = 0; n < VISITORS; n += 1) {
    const odd = n.toString(36).padStart(8, 'x')
    if (n % 2 === 0) await ask(`/sessions?tz=${spelling(n)}`, `en-${region(n)}-${odd}`)
    else await ask(`/sessions?lang=es-${region(n)}-x-${odd}&tz=${spelling(n)}`)
  }
  const after = await held(child)
  // Those of 16 languages and 30 zones are kept, and what was not collected yet. Each weighs 30 kB.
  expect(after.formatters - before.formatters).toBeLessThan(200)
  expect(after.mb - before.mb).toBeLessThan(20)
}, 240_000)

function startPages(): ChildProcess {
  const env = {
    ...process.env,
    RESEND_API_KEY: 're_stand_in',
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET,
  }
  const child = fork(join(import.meta.dirname, 'visitors.fixture.ts'), { env, execArgv: ['--expose-gc'] })
  afterTest(async () => {
    child.disconnect()
    await once(child, 'exit')
  })
  return child
}

async function held(child: ChildProcess): Promise<Held> {
  child.send('what do you hold?')
  const [answer] = (await once(child, 'message')) as [Held]
  return answer
}

function region(n: number): string {
  const letter = (index: number) => String.fromCharCode(65 + (index % 26))
  return letter(Math.floor(n / 26)) + letter(n)
}

const zones = Intl.supportedValuesOf('timeZone')

/** Half are zones that there are, in turn; half are one in another case, each time another. */
function spelling(n: number): string {
  if (n % 4 < 2) return zones[Math.floor(n / 2) % zones.length] ?? ''
  return Array.from('America/Argentina/ComodRivadavia', (letter, index) =>
    (n >> (index % 12)) & 1 ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('')
}
