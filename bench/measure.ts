import { readFileSync } from 'node:fs'

/** What a contender tells of itself, from its own process. `mails` are those of the measured part. */
export type Measured = {
  mails: number
  seconds: number
  /** User and system time of the process, all threads. */
  cpuSeconds: number
  /** Since the process began, so with start and set-up. */
  peakMegabytes: number
}

/** Runs `work`, which returns how many mails it made, and tells what that took. */
export async function measured(work: () => Promise<number>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  const mails = await work()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { mails, seconds, cpuSeconds: (user + system) / 1e6, peakMegabytes: peakMegabytes() }
}

// `resourceUsage().maxRSS` of a child begins at its parent's, and would tell of the bench; VmHWM begins with the program.
function peakMegabytes(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

/** The options that the bench started this process with. */
export function optionsFromBench<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}') as Options
}

/** Tells the bench the outcome: one line of JSON on stdout. */
export function tellBench(outcome: object): void {
  console.log(JSON.stringify(outcome))
}
