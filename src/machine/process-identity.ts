import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * A name for this process that is never given again: `host/pid/random/place/start`. The place is the boot and the PID
 * namespace, so that two containers with one host name and one pid are told apart. Both are empty where the system does
 * not say them (anything but Linux): then nobody can tell whether the process still lives.
 * https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
 */
export function identifyProcess(): string {
  const place = ownPlace()
  const start = place === '' ? '' : startOf(process.pid)
  return [hostname(), process.pid, randomUUID().slice(0, 8), place, start].join('/')
}

/** Whether the process of this name has certainly ended. False: it lives, or it cannot be known from here. */
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
