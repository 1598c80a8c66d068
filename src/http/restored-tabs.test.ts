import { expect, test } from '@jest/globals'
import { testApp } from '../testing.ts'
import { buildServer } from './server.ts'

test('the restored tab of an answered form is the page of the form', async () => {
  const server = await buildServer(await testApp({ settings: { PUBLIC_URL: 'https://harbor.test/groups' } }))
  for (const [url, location] of [
    ['/subscribe', '/groups/'],
    ['/subscribe?lang=es', '/groups/?lang=es'],
    ['/unsubscribe/abc.def/undo', '/groups/unsubscribe/abc.def'],
    ['/unsubscribe/abc.def/pause', '/groups/unsubscribe/abc.def'],
    ['/preferences/abc.def/address', '/groups/preferences/abc.def'],
  ] as const)
    expect(await server.inject(url)).toMatchObject({ statusCode: 303, headers: { location } })
  for (const url of ['/unsubscribe/abc.def/more', '/preferences/abc.def/undo'])
    expect((await server.inject(url)).statusCode).toBe(404)
})
