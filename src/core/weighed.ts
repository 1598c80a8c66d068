import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Says that an Intl object was made; returns it. Each has some 30 kB outside of the heap, which V8 takes for nothing and gives
 * back only in a full collection. It may not come to that for days, while those that nobody needs any more pile up by the
 * hundred MB. So it is asked for one after so many.
 */
export function weighed<Formatter extends object>(formatter: Formatter): Formatter {
  made += 1
  if (made % COLLECT_EVERY === 0) collect()
  return formatter
}

/** Together some 3 MB. */
const COLLECT_EVERY = 100

let made = 0

type Collect = (options: { type: 'major'; execution: 'async' }) => Promise<void>

let gc: Collect | undefined

/** Asks V8 for a full collection after the work at hand. It takes some 50 ms. */
export function collect(): void {
  if (gc === undefined) {
    // The one way to V8's collector without an option for Node.
    setFlagsFromString('--expose-gc')
    gc = runInNewContext('gc') as Collect
  }
  void gc({ type: 'major', execution: 'async' })
}
