import { expect, test } from '@jest/globals'
import { testApp } from '../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../test/operator.ts'
import { actingAs } from '../../actions/operators/acting.ts'
import { recordOf } from '../../db/audit.ts'

test('what was done is shown newest first, by whom and from where, and downloads without formulas', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const operator = await signedIn(app, 'operator')
  await recordOf(app.store, app.now(), {
    action: 'edition paused',
    subject: '2026-11-23',
    detail: '=HYPERLINK("x")',
  })
  await postAs(server, operator, '/readers/find', { email: 'nobody@sample.test' })
  const { body } = await getAs(server, operator, '/audit')
  const words = body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
  expect(words).toMatch(
    /operator-\w+@sample\.test 127\.0\.0 reader looked up nobody on the list .*Openseat itself edition paused/,
  )
  expect(body).toContain('href="/editions/2026-11-23"')
  const csv = await getAs(server, operator, '/audit.csv')
  expect(csv.body).toContain(`,system,,edition paused,2026-11-23,"'=HYPERLINK(""x"")"`)
  expect(csv.body).not.toContain('@')
  expect((await getAs(server, await signedIn(app, 'editor'), '/audit.csv')).statusCode).toBe(403)
})

test('a long record is paged by its numbers', async () => {
  const app = await testApp()
  const server = await operatorServer(app)
  const mine = actingAs(app, { kind: 'command', user: 'root' })
  for (let n = 0; n < 60; n += 1)
    await recordOf(mine.store, app.now(), { action: `thing ${n}`, subject: 'x' })
  const operator = await signedIn(app, 'operator')
  const first = (await getAs(server, operator, '/audit')).body
  expect(first).toContain('root, by a command')
  const older = /href="(\/audit\?below=\d+)"/.exec(first.replaceAll('&#x3D;', '='))?.[1] ?? ''
  const second = (await getAs(server, operator, older)).body
  expect([first.includes('thing 0<'), second.includes('thing 0<'), second.includes('audit?below')]).toEqual([
    false,
    true,
    false,
  ])
})
