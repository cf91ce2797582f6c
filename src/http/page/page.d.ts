/** The types that the modules of the page share; for the checker only, no browser loads them. */
type Hello = import("../Snapshot.ts").Hello
type Snapshot = import("../Snapshot.ts").Snapshot
type Sample = import("../Snapshot.ts").Sample
type Totals = Sample["totals"]
type Percentiles = NonNullable<Sample["write"]>
type Store = ReturnType<typeof import("./store.js").makeStore>
type Positions = ReturnType<Store["positions"]>
type Lines = ReturnType<Store["lines"]>
type ShownRange = ReturnType<typeof import("./range.js").makeRange>
/** A number as text, and its unit. */
type Quantity = readonly [value: string, unit: string]
