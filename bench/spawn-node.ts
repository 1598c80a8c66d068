import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a Node program that ends with this process at the latest. Its stdout and stderr are pipes by default. */
export function spawnNode(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return endsWithUs(spawn(process.execPath, args, options))
}

/** Makes sure that a process does not outlive this one. */
export function endsWithUs(child: ChildProcess): ChildProcess {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}
