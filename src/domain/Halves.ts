/** A list in two halves, so that what is refused as a whole can be tried in parts down to the one at fault. */

/** The first is the longer one when the number is odd. */
export const halves = <A>(all: ReadonlyArray<A>): readonly [ReadonlyArray<A>, ReadonlyArray<A>] => {
  const middle = Math.ceil(all.length / 2)
  return [all.slice(0, middle), all.slice(middle)]
}
