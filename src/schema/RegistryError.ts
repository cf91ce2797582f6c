/** The reasons why a schema is not to be had from the registry, by what has to follow. */
import * as Schema from "effect/Schema"

/**
 * - `unavailable`: network, 5xx, 429, an answer that no registry gives: retry, nothing is lost;
 * - `denied`: credentials, certificates, rights: somebody has to fix it;
 * - `unknown`: the registry has no such schema: the record is a dead letter;
 * - `unreadable`: it has, but nothing can be decoded with it.
 */
export const RegistryErrorReason = Schema.Literals(["unavailable", "denied", "unknown", "unreadable"])
export type RegistryErrorReason = typeof RegistryErrorReason.Type

export class RegistryError extends Schema.TaggedError<RegistryError>()("RegistryError", {
  reason: RegistryErrorReason,
  message: Schema.String,
  /** Of `unavailable`: nothing tells whether it passes. */
  isUnknown: Schema.optionalKey(Schema.Boolean),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** Whether the same call can succeed later; `denied` counts, because rights are fixed while we wait. */
  get isRetryable(): boolean {
    return this.reason === "unavailable" || this.reason === "denied"
  }
}
