import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { until, watch } from './programs.ts'

/** A program that a test needs is missing; the message is the command line that installs it. */
export class Missing extends Error {
  override name = 'Missing'
}

/** A disk for one scenario that can be filled to the last byte. */
export type Disk = { fill: () => void; empty: () => void; unmount: () => void }

/** Mounts a disk of `megabytes` on `folder`; null if mounting is not permitted (it needs root). */
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
 * Makes system calls of a running process on `files` fail until the returned function is called. `inject` is in the format
 * of strace: `fsync,fdatasync:error=EIO`. Resolves once it is in effect. Throws `Missing` if strace is missing.
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
  return () => tracer.kill('SIGTERM') // detaches from the process, which continues unharmed
}
