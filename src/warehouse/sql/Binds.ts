/** Lists as JSON text for a single bind, in the short keys that the statements of every dialect read. */
import type { OffsetRange } from "../../domain/Batch.ts"
import type { Position, Start } from "../../domain/KafkaRecord.ts"

export const jsonArray = <A>(items: ReadonlyArray<A>, element: (item: A) => string): string =>
  `[${items.map(element).join(",")}]`

/** n topic, p partition, e epoch, f from, x next, s skipped. */
export const rangesBind = (ranges: ReadonlyArray<OffsetRange>): string =>
  jsonArray(
    ranges,
    (range) =>
      `{"n":${JSON.stringify(range.topic)},"p":${range.partition},"e":${range.epoch},"f":${range.from},"x":${range.next},"s":${range.skipped}}`
  )

/** n topic, p partition, o offset, i the id of the topic if it is known. */
export const startsBind = (starts: ReadonlyArray<Start>): string =>
  jsonArray(starts, ({ offset, partition, topic, topicId }) =>
    JSON.stringify({ n: topic, p: partition, o: offset, i: topicId })
  )

/** n topic, p partition, o offset. */
export const positionsBind = (positions: ReadonlyArray<Position>): string =>
  jsonArray(
    positions,
    (position) => `{"n":${JSON.stringify(position.topic)},"p":${position.partition},"o":${position.offset}}`
  )
