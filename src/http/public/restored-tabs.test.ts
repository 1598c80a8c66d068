import { expect, test } from '@jest/globals'
import { LINK_SECRET, testApp } from '../../../test/app.ts'
import { signToken } from '../../core/tokens.ts'
import { buildServer } from '../server.ts'

test('the restored tab of an answered form is the page of the form', async () => {
  const server = await buildServer(await testApp({ settings: { PUBLIC_URL: 'https://harbor.test/groups' } }))
  const token = (purpose: 'unsubscribe' | 'preferences') =>
    signToken(LINK_SECRET, purpose, 'AdasPublicId0000000000')
  const [leave, choose] = [`/unsubscribe/${token('unsubscribe')}`, `/preferences/${token('preferences')}`]
  for (const [url, location] of [
    ['/subscribe', '/groups/'],
    ['/subscribe?lang=es', '/groups/?lang=es'],
    [`${leave}/undo`, `/groups${leave}`],
    [`${leave}/pause`, `/groups${leave}`],
    [`${choose}/address`, `/groups${choose}`],
  ] as const)
    expect(await server.inject(url)).toMatchObject({ statusCode: 303, headers: { location } })
  for (const url of [`${leave}/more`, `${choose}/undo`, '/unsubscribe/abc.def/undo'])
    expect((await server.inject(url)).statusCode).toBe(404)
})
