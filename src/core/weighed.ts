import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Counts a new Intl object and returns it. Each holds about 30 kB outside the heap, which V8 does not count and frees only
 * in a full collection. That may take days, while hundreds of MB of unused ones pile up. So after every 100 of them, this
 * asks for a full collection.
 */
export function weighed<Formatter extends object>(formatter: Formatter): Formatter {
  made += 1
  if (made % COLLECT_EVERY === 0) collect()
  return formatter
}

/** About 3 MB. */
const COLLECT_EVERY = 100

let made = 0

type Collect = (options: { type: 'major'; execution: 'async' }) => Promise<void>

let gc: Collect | undefined

/** Asks V8 for a full collection once the current work is done. It takes about 50 ms. */
export function collect(): void {
  if (gc === undefined) {
    // The only way to reach V8's collector without a Node option.
    setFlagsFromString('--expose-gc')
    gc = runInNewContext('gc') as Collect
  }
  void gc({ type: 'major', execution: 'async' })
}
