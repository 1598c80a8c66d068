import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { until, watch } from './programs.ts'

/** What a test needs that this machine does not have; the message is the line that installs it. */
export class Missing extends Error {
  override name = 'Missing'
}

/** A disk of its own for a scenario, that can be filled to the last byte. */
export type Disk = { fill: () => void; empty: () => void; unmount: () => void }

/** Mounts a disk of `megabytes` on `folder`; null where mounting is not permitted (needs root). */
export function mountDisk(folder: string, megabytes: number): Disk | null {
  mkdirSync(folder, { recursive: true })
  try {
    const options = `size=${megabytes}m,mode=0755`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return null
  }
  const ballast = join(folder, 'ballast')
  return {
    fill: () => fillWith(ballast),
    empty: () => rmSync(ballast, { force: true }),
    unmount: () => execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' }),
  }
}

function fillWith(file: string): void {
  const fd = openSync(file, 'a')
  try {
    for (const size of [1 << 20, 4096, 1]) {
      const bytes = Buffer.alloc(size)
      try {
        for (;;) writeSync(fd, bytes)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(fd)
  }
}

/**
 * Lets system calls of a running process fail from now on, until the returned function is called: `inject` as strace
 * wants it (`fsync,fdatasync:error=EIO`), for those that touch one of `files`. Resolves once it is in force.
 * Throws `Missing` where there is no strace.
 */
export async function breakCalls(
  pid: number,
  inject: string,
  files: readonly string[],
): Promise<() => Promise<void>> {
  const calls = inject.split(':', 1)[0] ?? ''
  const paths = files.flatMap((file) => ['-P', file])
  const options = [
    '-f',
    '-p',
    String(pid),
    '-o',
    '/dev/null',
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${inject}`,
  ]
  const tracer = watch(spawn('strace', [...options, ...paths]).on('error', () => {}))
  await until(
    () => / attached/.test(tracer.output()) || tracer.pid === -1 || tracer.hasEnded(),
    'strace is attached',
  )
  if (tracer.pid === -1)
    throw new Missing('needs strace: sudo apt-get install --no-install-recommends strace')
  if (tracer.hasEnded()) throw new Error(`strace: ${tracer.output()}`)
  return () => tracer.kill('SIGTERM') // it lets go of the process, which runs on unharmed
}
