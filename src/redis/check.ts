import type { Redis } from 'ioredis'

const OLDEST = '6.2'

export type RedisProblem = { problem: string; fix: string }

/**
 * Problems of this server that would lose wake-ups or stop the queues, each with its fix; empty if there are none.
 * Runs INFO, and CONFIG GET for what INFO leaves out. A command that this user may not run is not an error. Throws if
 * the connection breaks.
 */
export async function checkRedis(redis: Redis): Promise<RedisProblem[]> {
  const info = await readInfo(redis)
  const version = info.get('redis_version')
  const policy = info.get('maxmemory_policy') ?? (await readSetting(redis, 'maxmemory-policy'))
  const maxmemory = info.get('maxmemory') ?? (await readSetting(redis, 'maxmemory'))
  return [versionProblem(version), policyProblem(policy, maxmemory)].filter((found) => found !== undefined)
}

async function readInfo(redis: Redis): Promise<Map<string, string>> {
  const sections = [await unlessForbidden(redis.info('server')), await unlessForbidden(redis.info('memory'))]
  const lines = sections.join('\n').matchAll(/^(\w+):(.*?)\r?$/gm)
  return new Map(Array.from(lines, ([, name = '', value = '']) => [name, value]))
}

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  const reply = await unlessForbidden(redis.config('GET', name))
  return reply?.[1]
}

/** Hosted servers remove commands ("unknown command") or forbid them (NOPERM). */
async function unlessForbidden<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined
    throw error
  }
}

function versionProblem(version: string | undefined): RedisProblem | undefined {
  if (version === undefined) {
    return {
      problem: 'Could not read the version of the Redis server.',
      fix: 'Allow the user in REDIS_URL to run INFO: ACL SETUSER <name> +info',
    }
  }
  if (version.localeCompare(OLDEST, 'en', { numeric: true }) >= 0) return undefined
  return {
    problem: `The Redis server is version ${version}, which is too old.`,
    fix: `Point REDIS_URL at Redis ${OLDEST} or later, or at Valkey.`,
  }
}

function policyProblem(policy: string | undefined, maxmemory: string | undefined): RedisProblem | undefined {
  if (policy === 'noeviction' || maxmemory === '0') return undefined
  const fix = 'Set maxmemory-policy noeviction in redis.conf, or in the settings of the hosted Redis.'
  if (policy === undefined) return { problem: 'Could not read the eviction policy of Redis.', fix }
  return { problem: `Redis may delete queued work when it is full: maxmemory-policy is ${policy}.`, fix }
}

/**
 * One sentence on why Redis could not be reached and what to do, without the password. Pass the error from the client's
 * `error` event: a rejected `connect()` says only "Connection is closed."
 */
export function explainRedisError(error: unknown, redisUrl: string): string {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : undefined
  if (!url) return 'REDIS_URL is not a valid URL: write it as redis://user:password@host:6379.'
  const where = `REDIS_URL (${url.host || url.pathname})`
  const secure = url.protocol === 'rediss:'
  for (const [pattern, sentence] of explanations(where, secure)) {
    if (pattern.test(`${code} ${message}`)) return sentence
  }
  return `${where} does not work: ${withoutSecrets(message || code || 'unknown error', url)}`
}

const explanations = (where: string, secure: boolean): [RegExp, string][] => [
  [/WRONGPASS|invalid password/, `${where} was refused: its user name or password is wrong.`],
  [/NOAUTH/, `${where} needs a password: write it as redis://user:password@host:port.`],
  [
    /NOPERM/,
    `${where} names a user without the rights for this: allow all commands on the queue's keys (ACL SETUSER).`,
  ],
  [/ECONNREFUSED|ENOENT/, `${where} refused the connection: start Redis there, or fix the host and port.`],
  [/ENOTFOUND|EAI_AGAIN/, `${where} names a host that DNS does not know: fix the host name.`],
  [/CERT_HAS_EXPIRED/, `${where} answers with an expired TLS certificate: renew it on the server.`],
  [
    /ALTNAME/,
    `${where} answers with a TLS certificate for another host: use the host name it was issued for.`,
  ],
  [
    /CERT|VERIFY_LEAF|UNABLE_TO_GET_ISSUER/,
    `${where} answers with a TLS certificate that is not trusted: set NODE_EXTRA_CA_CERTS to the file of its certificate authority.`,
  ],
  [
    /ECONNRESET|EPIPE|ETIMEDOUT|SSL|TLS|EPROTO|RESP type/,
    secure
      ? `${where} did not answer over TLS: fix the host and port, or write redis:// if this port does not use TLS.`
      : `${where} did not answer as Redis: fix the host and port, or write rediss:// if this port expects TLS.`,
  ],
]

function withoutSecrets(text: string, url: URL): string {
  const secrets = [url.href, url.password, decoded(url.password)].filter((secret) => secret !== '')
  return secrets.reduce((left, secret) => left.replaceAll(secret, '***'), text)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
