/** Lists as JSON text for a single bind, in the short keys that the statements of every dialect read. */
import type { OffsetRange } from "../domain/Batch.ts"
import type { Position } from "../domain/KafkaRecord.ts"

export const jsonArray = <A>(items: ReadonlyArray<A>, element: (item: A) => string): string =>
  `[${items.map(element).join(",")}]`

/** The same in several binds, each of so many bytes at most; an item that is larger goes alone. Built one at a time, as they are asked for. */
export function* jsonArrays<A>(
  items: ReadonlyArray<A>,
  element: (item: A) => string,
  maxBytes: number
): Generator<string, void> {
  let texts: Array<string> = []
  let bytes = 0
  for (const item of items) {
    const text = element(item)
    const size = Buffer.byteLength(text) + 1
    if (texts.length > 0 && bytes + size > maxBytes) {
      yield `[${texts.join(",")}]`
      texts = []
      bytes = 0
    }
    texts.push(text)
    bytes += size
  }
  if (texts.length > 0) yield `[${texts.join(",")}]`
}

/** n topic, p partition, e epoch, f from, x next, s skipped. */
export const rangesBind = (ranges: ReadonlyArray<OffsetRange>): string =>
  jsonArray(
    ranges,
    (range) =>
      `{"n":${JSON.stringify(range.topic)},"p":${range.partition},"e":${range.epoch},"f":${range.from},"x":${range.next},"s":${range.skipped}}`
  )

/** n topic, p partition, o offset. */
export const positionsBind = (positions: ReadonlyArray<Position>): string =>
  jsonArray(
    positions,
    (position) => `{"n":${JSON.stringify(position.topic)},"p":${position.partition},"o":${position.offset}}`
  )
