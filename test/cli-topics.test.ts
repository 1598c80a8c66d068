import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, realProgram } from './cli.ts'

let program: Program
beforeAll(async () => {
  program = await realProgram()
})
afterAll(() => program.close())

const run = (...args: string[]) => program.run(['sessions', ...args])

test('a topic gets names in other languages when it is added, and later', async () => {
  const json = (text: string): unknown => JSON.parse(text)
  const added = await run(
    'add-topic',
    'sleep',
    'Sleep',
    '--name',
    'es=Dormir',
    '--name',
    'French=Sommeil',
    '--json',
  )
  expect(json(added.out)).toEqual({ slug: 'sleep', name: 'Sleep', names: { es: 'Dormir', fr: 'Sommeil' } })
  expect(await run('add-topic', 'sleep', 'Sleep')).toMatchObject({ code: 1 })
  const changed = await run('add-topic', 'sleep', 'Sleeping', '--name', 'es=Sueño', '--name', 'fr=')
  expect(changed).toMatchObject({ code: 0, out: 'The topic sleep is now called Sleeping, es: Sueño.\n' })
  const topics = json((await run('topics', '--json')).out) as { slug: string }[]
  expect(topics).toContainEqual({ slug: 'sleep', name: 'Sleeping', names: { es: 'Sueño' } })
  expect(topics).toContainEqual({ slug: 'anxiety', name: 'Anxiety', names: { es: 'Ansiedad' } })
  expect((await run('topics')).out).toMatch(/ocd +OCD +es: TOC \(trastorno obsesivo-compulsivo\)\n/)
})

test.each([
  [['--name', 'Dormir'], '--name is "Dormir"; write a language and a name, like es=Ansiedad'],
  [['--name', 'klingon=Qong'], '--name is "klingon=Qong"; write a language and a name'],
  [['--name', `es=${'x'.repeat(81)}`], '--name es= needs 1 to 80 characters'],
])('%j is refused', async (options, says) => {
  const { code, err } = await run('add-topic', 'rest', 'Rest', ...options)
  expect([code, err]).toEqual([2, expect.stringContaining(says)])
})
