/** Chance that can be repeated: the same seed makes the same choices in the same order. */
export interface Random {
  /** At least 0 and below 1. */
  readonly next: () => number
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number
  readonly pick: <A>(choices: ReadonlyArray<A>) => A
  readonly shuffle: <A>(items: ReadonlyArray<A>) => ReadonlyArray<A>
}

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty for choosing faults. */
export const make = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const pick = <A>(choices: ReadonlyArray<A>): A => {
    const choice = choices[below(choices.length)]
    if (choice === undefined) throw new Error("nothing to pick from")
    return choice
  }
  const shuffle = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
    items
      .map((item) => ({ item, at: next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item)
  return { next, below, pick, shuffle }
}
