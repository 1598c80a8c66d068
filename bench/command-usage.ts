import { readFileSync, writeFileSync } from 'node:fs'
import type { Usage } from './command.ts'

// Loaded into the program with `--import`: tells what the process used, from its start to its exit.
process.once('exit', () => {
  const file = process.env.BENCH_USAGE
  if (file === undefined) return
  const { user, system } = process.cpuUsage()
  const usage: Usage = {
    seconds: performance.now() / 1000,
    cpuSeconds: (user + system) / 1e6 + childSeconds(),
    peakMegabytes: Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024,
  }
  writeFileSync(file, JSON.stringify(usage))
})

/** Of children that have ended: the compiler of templates, and Redis. See proc_pid_stat(5), `cutime` and `cstime`. */
function childSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}
