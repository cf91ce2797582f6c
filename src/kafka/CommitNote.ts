/** The metadata that this service commits with an offset: the topic id, and what the offset is based on. */

export interface CommitNote {
  /**
   * `ledger`: a ledger in a warehouse had the partition at this offset; `rows`: at-least-once delivery had written up
   * to it; `start`: nothing was read yet, and this is where reading begins.
   */
  readonly kind: "ledger" | "rows" | "start"
  /** Kafka's id of the topic; undefined where the broker gave none. */
  readonly topicId: string | undefined
}

const prefix = "bronze-consumer"

export const encode = ({ kind, topicId }: CommitNote): string => [prefix, kind, topicId ?? ""].join(" ")

/** Undefined for what somebody else has committed. */
export const decode = (metadata: string | null): CommitNote | undefined => {
  const [name, kind, topicId = ""] = (metadata ?? "").split(" ")
  return name === prefix && (kind === "ledger" || kind === "rows" || kind === "start")
    ? { kind, topicId: topicId === "" ? undefined : topicId }
    : undefined
}
