/** Topics that Kafka has and that are not read yet, each with the reason: their tables cannot be written. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

export class HeldBack extends Context.Service<HeldBack, Map<string, string>>()("bronze/kafka/HeldBack") {}

export const layer: Layer.Layer<HeldBack> = Layer.sync(HeldBack, () => new Map())
