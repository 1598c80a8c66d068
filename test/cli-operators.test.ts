import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, realProgram } from './cli.ts'

let program: Program

beforeAll(async () => {
  program = await realProgram()
})
afterAll(() => program.close())

test('an operator gets a link, is listed, and is removed, but the last owner stays', async () => {
  expect((await program.run(['operator', 'list'])).out).toContain('Nobody may sign in yet.')
  const made = await program.run(['operator', 'link', 'Mira@sample.test', '--role', 'owner', '--json'])
  const link: unknown = JSON.parse(made.out)
  expect(link).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\w+\/enter\/[\w-]{43}$/),
    expires: expect.stringMatching(/^\d{4}-.*Z$/),
  })
  const again = await program.run(['operator', 'link', '-'], { input: 'sam@sample.test\n' })
  expect(again.out).toContain('It works once, for 30 minutes, and makes them an operator.')
  const { out } = await program.run(['operator', 'list', '--json'])
  expect(JSON.parse(out)).toMatchObject([
    { email: 'mira@sample.test', role: 'owner', passkeys: 0, hasPassword: false, seenAt: null },
    { email: 'sam@sample.test', role: 'operator' },
  ])

  const refusals: [args: string[], problem: string][] = [
    [['remove', 'mira@sample.test'], 'that is the only owner'],
    [['link', 'mira@sample.test', '--role', 'editor'], 'that is the only owner'],
    [['remove', 'nobody@sample.test'], 'nobody with that address may sign in'],
    [['link', 'no address'], 'EMAIL has a space'],
    [['link', 'sam@sample.test', '--role', 'admin'], '--role is "admin"; write owner, operator or editor'],
  ]
  for (const [args, problem] of refusals) {
    const { code, err } = await program.run(['operator', ...args])
    expect([code, err]).toEqual([2, expect.stringContaining(problem)])
  }
  expect(await program.run(['operator', 'remove', 'sam@sample.test'])).toMatchObject({ code: 0 })
}, 60_000)
