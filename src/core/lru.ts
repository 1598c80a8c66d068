/** Wraps `make` in a cache of its `limit` most recently used results, by key. */
export function lru<Input, Result>(
  limit: number,
  keyOf: (input: Input) => string,
  make: (input: Input) => Result,
): (input: Input) => Result {
  const results = new Map<string, Result>()
  return (input) => {
    const key = keyOf(input)
    const result = results.get(key) ?? make(input)
    // A Map lists its keys in the order they were set, so the first is the one unused for longest.
    results.delete(key)
    results.set(key, result)
    if (results.size > limit) results.delete(results.keys().next().value as string)
    return result
  }
}
