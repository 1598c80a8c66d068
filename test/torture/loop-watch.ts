import { appendFileSync } from 'node:fs'

/**
 * Loaded into a program with `--import`. Writes long blocks of the event loop to LOOP_WATCH_FILE: the instant, and the
 * milliseconds of this thread's CPU time, which do not depend on how busy the machine is otherwise.
 */
const file = process.env.LOOP_WATCH_FILE
const LONG_MS = 30
const LOOK_EVERY_MS = 5

let before = spent()
function look(): void {
  const now = spent()
  const held = now - before
  before = now
  if (file && held >= LONG_MS) appendFileSync(file, `${Date.now()} ${held.toFixed(1)}\n`)
  setTimeout(look, LOOK_EVERY_MS).unref()
}

function spent(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

look()
