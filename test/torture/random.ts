/** Pseudorandom numbers; the same seed gives the same numbers. */
export type Random = {
  /** From 0 up to, but not including, 1. */
  next: () => number
  /** A whole number from 0 up to, but not including, `limit`. */
  below: (limit: number) => number
  /** A whole number from `from` up to, but not including, `to`. */
  between: (from: number, to: number) => number
  chance: (share: number) => boolean
  of: <Item>(items: readonly Item[]) => Item
}

/** mulberry32: short, and good enough to choose moments and faults. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (from, to) => from + below(to - from),
    chance: (share) => next() < share,
    of: (items) => items[below(items.length)] as (typeof items)[number],
  }
}
