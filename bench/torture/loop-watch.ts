import { appendFileSync } from 'node:fs'

/**
 * Loaded into a program (`--import`), it notes in LOOP_WATCH_FILE for how long the event loop was held, where that was
 * long: the instant, and ms of this thread's own CPU time, which stay the same however busy the machine is with others.
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
