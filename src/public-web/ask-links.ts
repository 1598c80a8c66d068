import type { LookupAddress } from 'node:dns'
import { lookup as lookUp } from 'node:dns/promises'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress, mayBePublicName } from './public-address.ts'

/** Asks each link whether it works: the status that it answers, or null if no answer came. Never throws. */
export type AskLinks = (urls: readonly string[]) => Promise<Record<string, number | null>>

/** What tests replace: how names are looked up, and which addresses may be asked. */
export type Reach = {
  lookUp: (host: string) => Promise<LookupAddress[]>
  mayAsk: (address: string) => boolean
}

const INTERNET: Reach = {
  async lookUp(host) {
    return mayBePublicName(host) ? lookUp(host, { all: true }) : []
  },
  mayAsk: isPublicAddress,
}

const MOST_LINKS = 100
const AT_A_TIME = 8
const MOST_REDIRECTS = 3
const PATIENCE_MS = 5_000
const ALL_PATIENCE_MS = 20_000

/**
 * Operators enter these links, and this machine may reach what they may not. So it asks public addresses alone, connects to the
 * very address that was checked, and reads nothing of an answer but its status. At most 100 links, in 20 seconds.
 */
export function openLinks(reach: Reach = INTERNET): AskLinks {
  return async (urls) => {
    const answers: Record<string, number | null> = {}
    const end = AbortSignal.timeout(ALL_PATIENCE_MS)
    const left = [...new Set(urls)].slice(0, MOST_LINKS)
    const ask = async () => {
      for (let url = left.shift(); url !== undefined; url = left.shift())
        answers[url] = end.aborted ? null : await statusOf(url, reach, end).catch(() => null)
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, ask))
    return answers
  }
}

/** HEAD costs a server least. Some answer it with an error, so that GET has the last word. */
async function statusOf(url: string, reach: Reach, end: AbortSignal): Promise<number> {
  const patience = () => AbortSignal.any([end, AbortSignal.timeout(PATIENCE_MS)])
  const status = await follow('HEAD', url, reach, patience()).catch(() => null)
  return status !== null && status < 400 ? status : follow('GET', url, reach, patience())
}

async function follow(method: Method, link: string, reach: Reach, signal: AbortSignal): Promise<number> {
  let url = new URL(link)
  for (let hops = 0; ; hops += 1) {
    const { statusCode = 0, headers } = await ask(method, url, reach, signal)
    const isRedirect = statusCode >= 300 && statusCode < 400 && headers.location !== undefined
    if (!isRedirect || hops === MOST_REDIRECTS) return statusCode
    url = new URL(headers.location ?? '', url)
  }
}

type Method = 'HEAD' | 'GET'

async function ask(method: Method, url: URL, reach: Reach, signal: AbortSignal): Promise<IncomingMessage> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('not a web link')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = await publicAddresses(host, reach, signal)
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = send({
    method,
    hostname: host,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, accept: '*/*', 'user-agent': 'Openseat (checks booking links)' },
    agent: false,
    signal,
    lookup: connectTo(addresses),
  })
  request.on('error', reject)
  request.on('response', (response) => {
    resolve(response)
    request.destroy()
  })
  request.end()
  return promise
}

/** The addresses of a host. Throws if there are none, or any of them is not public. */
async function publicAddresses(host: string, reach: Reach, signal: AbortSignal): Promise<LookupAddress[]> {
  const family = isIP(host)
  const gaveUp = Promise.withResolvers<never>()
  const giveUp = () => gaveUp.reject(new Error('no answer in time'))
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    // A lookup cannot be aborted.
    const found =
      family === 0 ? await Promise.race([reach.lookUp(host), gaveUp.promise]) : [{ address: host, family }]
    if (found.length > 0 && found.every(({ address }) => reach.mayAsk(address))) return found
    throw new Error('not a public address')
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** Connects to these addresses alone: looked up again, the name might lead elsewhere. */
function connectTo(addresses: LookupAddress[]): LookupFunction {
  const [first = { address: '', family: 0 }] = addresses
  return (_host, { all }, callback) =>
    all ? callback(null, addresses) : callback(null, first.address, first.family)
}
