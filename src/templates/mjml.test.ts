import { execFile } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { aFolder } from '../../test/folder.ts'

const SOURCE =
  '<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-body></mjml>'

test('what was compiled once is kept with the compiled code, for the same sources alone', async () => {
  const cache = aFolder()
  expect(await compiled(cache, SOURCE)).toMatchObject([{ html: expect.stringContaining('Hello') }])
  const [kept = ''] = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  writeFileSync(join(cache, kept), '[{"html":"as kept"}]')
  expect(await compiled(cache, SOURCE)).toEqual([{ html: 'as kept' }])
  expect(await compiled(cache, SOURCE.replace('Hello', 'Goodbye'))).toMatchObject([
    { html: expect.stringContaining('Goodbye') },
  ])
})

test('where nothing can be kept, it is compiled each time', async () => {
  const file = join(aFolder(), 'a-file')
  writeFileSync(file, '')
  expect(await compiled(file, SOURCE)).toMatchObject([{ html: expect.stringContaining('Hello') }])
})

async function compiled(cache: string, source: string): Promise<unknown> {
  const script = `import('${import.meta.dirname}/mjml.ts').then(async ({ compileMjml }) =>
    console.log(JSON.stringify(await compileMjml([${JSON.stringify(source)}]))))`
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env })
  return JSON.parse(stdout)
}
