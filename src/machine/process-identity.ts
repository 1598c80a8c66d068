import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * A unique name for this process, never reused: `host/pid/random/place/start`. The place is the boot and the PID
 * namespace, which distinguish two containers with the same host name and pid. Both are empty if the system does not
 * provide them (anything but Linux); then it is unknown whether the process is still running.
 * https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
 */
export function identifyProcess(): string {
  const place = ownPlace()
  const start = place === '' ? '' : startOf(process.pid)
  return [hostname(), process.pid, randomUUID().slice(0, 8), place, start].join('/')
}

/** True if the process of this name has certainly ended; false if it is running or we cannot know. */
export function hasCertainlyEnded(name: string): boolean {
  const [, pid = '', , place = '', start = ''] = name.split('/')
  if (place === '' || start === '' || place !== ownPlace()) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
  }
  const now = startOf(Number(pid))
  return now !== '' && now !== start // the pid was given to another process since
}

/** Empty where it is not known, or where /proc shows another namespace than ours. */
function ownPlace(): string {
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) return ''
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot}.${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

/** When the process began, in clock ticks since the boot: field 22 of /proc/PID/stat. Empty when it cannot be read. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold spaces and brackets; the fields behind it begin with the third.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
