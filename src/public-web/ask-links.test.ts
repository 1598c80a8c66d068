import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openLinks } from './ask-links.ts'
import { isPublicAddress, mayBePublicName } from './public-address.ts'

/** A server that answers by path, and the requests that reached it. */
const asked: string[] = []
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`)
  const [, first = '', second] = (request.url ?? '').split('/')
  if (first === 'to') response.writeHead(302, { location: decodeURIComponent(second ?? '') })
  else response.statusCode = first === 'no-head' && request.method === 'GET' ? 200 : Number(first) || 405
  response.end('x'.repeat(100_000))
})
let port = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

/** Names ending in `.org` are at our server, which may be asked by name; others lead where the name says. */
const ask = openLinks({
  lookUp: async (host) => [
    { address: host.endsWith('.org') ? '127.0.0.1' : (host.split('.at-')[1] ?? ''), family: 4 },
  ],
  mayAsk: (address) => address === '127.0.0.1' || isPublicAddress(address),
})
const at = (path: string, host = 'book.harbor.org') => `http://${host}:${port}/${path}`

test('a link answers with its status, by GET where HEAD is refused, and after redirects', async () => {
  const loop = at(`to/${encodeURIComponent('/to/%2Fto%2F%252Fto%252Fx')}`)
  const urls = [at('200'), at('404'), at('503'), at('no-head'), at(`to/${encodeURIComponent('/404')}`), loop]
  expect(Object.values(await ask([...urls, at('200')]))).toEqual([200, 404, 503, 200, 404, 302])
  expect(asked.filter((line) => line.endsWith(' /200'))).toEqual(['HEAD /200'])
  expect(asked.filter((line) => line.endsWith(' /503'))).toEqual(['HEAD /503', 'GET /503'])
})

test('nothing that is not public is asked, however it is written or led to', async () => {
  const inside = createServer((request) => void asked.push(`inside ${request.url}`))
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
  const target = `127.0.0.1:${(inside.address() as AddressInfo).port}`
  // The internet as it is, but for our server under one name.
  const reach = openLinks({
    lookUp: async (host) => [{ address: host === 'book.harbor.org' ? '127.0.0.1' : '127.0.0.2', family: 4 }],
    mayAsk: (address) => isPublicAddress(address),
  })
  const urls = [
    `http://${target}/`,
    `http://[::ffff:127.0.0.1]:${target.split(':')[1]}/`,
    `http://2130706433:${target.split(':')[1]}/`,
    `http://rebound.org:${target.split(':')[1]}/`,
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'not a link',
  ]
  expect(new Set(Object.values(await reach(urls)))).toEqual(new Set([null]))
  // A public page may not send us inside either.
  const led = at(`to/${encodeURIComponent(`http://10.0.0.1:${target.split(':')[1]}/`)}`)
  expect(Object.values(await ask([led]))).toEqual([null])
  expect(asked.filter((line) => line.startsWith('inside'))).toEqual([])
  await new Promise((resolve) => inside.close(resolve))
})

test.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1::1', true],
  ...[
    '10.1.2.3',
    '100.100.100.200',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.1.1',
    '0.0.0.0',
  ].map((address): [string, boolean] => [address, false]),
  ...[
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    'ff02::1',
    'x',
  ].map((address): [string, boolean] => [address, false]),
])('%s is public: %s', (address, is) => {
  expect(isPublicAddress(address)).toBe(is)
})

test('names that the internet does not have are not looked up', () => {
  for (const name of ['localhost', 'redis', 'db.internal', 'book.harbor.test', 'printer.local.'])
    expect([name, mayBePublicName(name)]).toEqual([name, false])
  expect(mayBePublicName('book.harbor.org')).toBe(true)
})
