/** Why Kafka did not do what it was asked. */
import * as Schema from "effect/Schema"

export class KafkaError extends Schema.TaggedError<KafkaError>()("KafkaError", {
  /** `denied`: credentials or ACLs; `missing`: a topic that is not there; `unavailable`: anything that time may mend. */
  reason: Schema.Literals(["unavailable", "denied", "missing"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  get isRetryable(): boolean {
    return this.reason === "unavailable"
  }
}
