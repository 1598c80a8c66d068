import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import manifest from '../package.json' with { type: 'json' }

/** The Node options of `npm start` and of `npm run openseat`, for what stands for them. */
export const OPTIONS_OF_START: readonly string[] = manifest.scripts.start.match(/--\S+/g) ?? []
export const OPTIONS_OF_COMMANDS: readonly string[] = manifest.scripts.openseat.match(/--\S+/g) ?? []

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
