import type { Queries, Store } from '../store.ts'

/** Does `work` in a transaction that is always taken back: what it returns is how things would be, and nobody sees it. */
export async function rehearse<Result>(
  store: Store,
  work: (tx: Queries) => Promise<Result>,
): Promise<Result> {
  const results: Result[] = []
  const rehearsal = store.write(async (tx) => {
    results.splice(0, results.length, await work(tx))
    throw new TakenBack()
  })
  try {
    return await rehearsal
  } catch (error) {
    if (!(error instanceof TakenBack) || results.length === 0) throw error
    return results[0] as Result
  }
}

class TakenBack extends Error {
  override name = 'TakenBack'
}
