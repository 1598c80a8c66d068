import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const MANAGERS = {
  'apt-get': (name: string) =>
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${name}`,
  dnf: (name: string) => `dnf install -y ${name}`,
  apk: (name: string) => `apk add ${name}`,
  brew: (name: string) => `brew install ${name}`,
} as const

type Manager = keyof typeof MANAGERS

/** `names` in order of preference; `purpose` completes "it is needed for …". */
export type WantedProgram = {
  names: readonly string[]
  packageName: Record<Manager, string>
  purpose: string
}

export const redisServer: WantedProgram = {
  names: ['redis-server', 'valkey-server'],
  packageName: { 'apt-get': 'redis-server', dnf: 'valkey', apk: 'redis', brew: 'redis' },
  purpose: 'the job queue when REDIS_URL is not set',
}

export const chromium: WantedProgram = {
  names: ['chromium', 'chromium-browser', 'google-chrome'],
  packageName: { 'apt-get': 'chromium', dnf: 'chromium', apk: 'chromium', brew: 'chromium' },
  purpose: 'the tests in a real browser',
}

export const caddy: WantedProgram = {
  names: ['caddy'],
  packageName: { 'apt-get': 'caddy', dnf: 'caddy', apk: 'caddy', brew: 'caddy' },
  purpose: 'the tests of deploy/Caddyfile',
}

/** Where to look for programs, and whether packages may be installed. Tests pass their own. */
export type Machine = { env?: NodeJS.ProcessEnv; isRoot: boolean }

const thisMachine = (): Machine => ({ isRoot: process.getuid?.() === 0 })

/** The path of the first of `names` on the PATH. Throws an error with the command line that installs it. */
export function findProgram(wanted: WantedProgram, machine: Machine = thisMachine()): string {
  const found = firstOnPath(wanted.names, machine)
  if (found) return found
  throw new Error(howToInstall(wanted, machine))
}

/**
 * As `findProgram`, but installs a missing program first if this process is root and the system has a package manager.
 * `announce` gets the command line before it runs, and its output goes to stderr. For the demo and tests.
 */
export async function findOrInstallProgram(
  wanted: WantedProgram,
  announce: (line: string) => void,
  machine: Machine = thisMachine(),
): Promise<string> {
  const found = firstOnPath(wanted.names, machine)
  if (found) return found
  const manager = managerOf(machine)
  // Homebrew refuses to run as root; the others cannot install without root.
  if (!machine.isRoot || !manager || manager === 'brew') throw new Error(howToInstall(wanted, machine))
  const command = MANAGERS[manager](wanted.packageName[manager])
  announce(`${wanted.names[0]} is missing. It is needed for ${wanted.purpose}. Running: ${command}`)
  const child = spawn('/bin/sh', ['-c', command], {
    ...(machine.env && { env: machine.env }),
    stdio: ['ignore', 2, 2],
  })
  const [status] = await once(child, 'exit')
  if (status !== 0) announce(`${manager} failed (exit ${status})`)
  return findProgram(wanted, machine)
}

function firstOnPath(names: readonly string[], machine: Machine): string | undefined {
  for (const name of names) {
    const { status, stdout } = spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], {
      ...(machine.env && { env: machine.env }),
      encoding: 'utf8',
    })
    if (status === 0) return stdout.trim()
  }
  return undefined
}

function managerOf(machine: Machine): Manager | undefined {
  const managers = Object.keys(MANAGERS) as Manager[]
  return managers.find((manager) => firstOnPath([manager], machine) !== undefined)
}

function howToInstall({ names, packageName, purpose }: WantedProgram, machine: Machine): string {
  const missing = `${names.join(' or ')} is not on the PATH; it is needed for ${purpose}.`
  const manager = managerOf(machine)
  if (!manager) return `${missing} Install it with your system's package manager.`
  const command = MANAGERS[manager](packageName[manager])
  const needsSudo = !machine.isRoot && manager !== 'brew'
  return `${missing} Install it with: ${needsSudo ? `sudo sh -c '${command}'` : command}`
}
