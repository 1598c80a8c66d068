import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { caddy, findOrInstallProgram } from '../../src/machine/find-program.ts'
import { afterTest, eventually } from '../app.ts'

/** The host in deploy/Caddyfile, for which the test makes a certificate. */
export const HOST = 'groups.your-practice.org'
export const OPERATORS_HOST = 'operators.your-practice.org'

export type Answer = {
  status: number
  headers: IncomingHttpHeaders
  /** Names as they came, one for each line. */
  names: string[]
  body: string
}
type Asked = {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** Where the visitor connects from: any of 127.0.0.0/8. */
  from?: string
  host?: string
  /** Plain http. */
  plain?: boolean
}

/** `more` is another block, in which TLS stands for the certificate; `without` is left out of the file. */
type Start = { upstream: number; operators?: number; more?: string; without?: RegExp }

/**
 * Debian's Caddy with deploy/Caddyfile as it is, except for its ports, its upstream, and a certificate of its own. Runs as
 * anyone, in a temporary folder, until the test ends.
 */
export async function startCaddy({ upstream, operators = upstream, more = '', without }: Start) {
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const program = await findOrInstallProgram(caddy, say)
  const folder = mkdtempSync(join(tmpdir(), 'openseat-caddy-'))
  const [http, https] = [await freePort(), await freePort()]
  const tls = certificate(folder)
  const config = join(folder, 'Caddyfile')
  const file = (without ? ourCaddyfile().replace(without, '') : ourCaddyfile()) + more.replaceAll('TLS', tls)
  writeFileSync(config, forTest(file, { http, https, upstream, operators, tls }))
  const child = spawn(program, ['run', '--config', config, '--adapter', 'caddyfile'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let logged = ''
  child.stderr.on('data', (chunk) => (logged += chunk))
  afterTest(async () => {
    if (child.exitCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    rmSync(folder, { recursive: true, force: true })
  })
  const ask = (path: string, asked: Asked = {}) => send(path, asked, { http, https, folder })
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`Caddy ended: ${logged}`)
    return (await ask('/', { plain: true }).catch(() => null)) !== null
  })
  return { ask, logged: () => logged, https }
}

const ourCaddyfile = (): string => readFileSync(join(import.meta.dirname, '../../deploy/Caddyfile'), 'utf8')

type Ports = { http: number; https: number }

/** Each change has to find what it changes, so that the file cannot drift away from the test. */
function forTest(file: string, given: Ports & { upstream: number; operators: number; tls: string }): string {
  const { http, https, upstream, operators, tls } = given
  const options = `admin off\nhttp_port ${http}\nhttps_port ${https}\ndefault_bind 127.0.0.1\nskip_install_trust\n`
  const changes: [RegExp, string][] = [
    [/^\{\n/m, `{\n${options}`],
    [/^groups\.your-practice\.org \{\n/m, `${HOST} {\n${tls}\n`],
    [/^operators\.your-practice\.org \{\n/m, `${OPERATORS_HOST} {\n${tls}\n`],
    [/remote_ip 127\.0\.0\.0\/8/m, 'remote_ip 127.0.0.1'], // so that a test can come from elsewhere
    [/reverse_proxy 127\.0\.0\.1:3001$/m, `reverse_proxy 127.0.0.1:${operators}`],
    [/reverse_proxy 127\.0\.0\.1:3000$/m, `reverse_proxy 127.0.0.1:${upstream}`],
  ]
  return changes.reduce((changed, [what, by]) => {
    if (!what.test(changed)) throw new Error(`deploy/Caddyfile has no ${what}`)
    return changed.replace(what, by)
  }, file)
}

/** A self-signed certificate for both hosts; returns the line that names it in a Caddyfile. */
function certificate(folder: string): string {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const names = `subjectAltName=DNS:${HOST},DNS:${OPERATORS_HOST}`
  const args = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=openseat test', '-addext', names, '-keyout', key, '-out', cert],
  ]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl failed: ${stderr}`)
  return `tls ${cert} ${key}`
}

async function send(path: string, asked: Asked, at: Ports & { folder: string }): Promise<Answer> {
  const { method = 'GET', headers = {}, body, from = '127.0.0.1', host = HOST, plain = false } = asked
  const options = {
    ...{
      host: '127.0.0.1',
      port: plain ? at.http : at.https,
      path,
      method,
      localAddress: from,
      agent: false,
    },
    headers: { host, ...headers },
  }
  const request = plain
    ? plainRequest(options)
    : secureRequest({ ...options, servername: host, ca: readFileSync(join(at.folder, 'cert.pem')) })
  request.end(body)
  const [answer] = await once(request, 'response')
  const names = (answer.rawHeaders as string[]).filter((_, index) => index % 2 === 0)
  const bytes = answer.headers['content-encoding'] ? answer.resume() && '' : await text(answer)
  return {
    status: answer.statusCode,
    headers: answer.headers,
    names: names.map((name) => name.toLowerCase()),
    body: bytes,
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await once(probe.close(), 'close')
  return port
}
