import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, realProgram } from './cli.ts'

let program: Program

beforeAll(async () => {
  program = await realProgram()
})
afterAll(() => program.close())

test('the record names who ran a command, and is read as a table, JSON and CSV', async () => {
  expect((await program.run(['audit'])).out).toContain('Nothing is on record.')
  await program.run(['operator', 'link', 'mira@sample.test', '--role', 'owner'])
  const { out } = await program.run(['audit', '--json'])
  expect(JSON.parse(out)).toMatchObject([
    {
      actor: expect.stringMatching(/^command:\w+/),
      action: 'operator added',
      subject: 'operator:1',
      detail: 'owner',
    },
    { action: 'entry link made', subject: 'operator:1' },
  ])
  expect(out).not.toContain('@')
  expect((await program.run(['audit', '--csv'])).out).toMatch(
    /^id,at,actor,network,action,subject,detail\r\n1,/,
  )
  expect((await program.run(['audit', '--since', '2027-01-01'])).out).toContain('Nothing is on record.')
  const wrong = await program.run(['audit', '--since', 'yesterday'])
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('--since is "yesterday"; write a day')])
}, 60_000)
