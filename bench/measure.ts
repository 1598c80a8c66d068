import { readFileSync } from 'node:fs'

/** What a contender reports about itself. `mails` counts those of the measured part. */
export type Measured = {
  mails: number
  seconds: number
  /** User and system time of the process, all threads. */
  cpuSeconds: number
  /** Since the process started, so including start and setup. */
  peakMegabytes: number
}

/** Runs `work`, which returns how many emails it made, and measures it. */
export async function measured(work: () => Promise<number>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  const mails = await work()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { mails, seconds, cpuSeconds: (user + system) / 1e6, peakMegabytes: peakMegabytes() }
}

// Not `resourceUsage().maxRSS`: in a child process, it starts at the parent's value. VmHWM starts with the program.
function peakMegabytes(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

/** The options that the bench passed to this process. */
export function optionsFromBench<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}') as Options
}

/** Reports the outcome to the bench: one line of JSON on stdout. */
export function tellBench(outcome: object): void {
  console.log(JSON.stringify(outcome))
}
