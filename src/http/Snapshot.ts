/**
 * What the live page and `GET /api/snapshot` show: the service at one instant, without payloads unless a setting allows
 * them. Times are milliseconds since 1970; `GET /api/snapshot` has them as text.
 */
import type { Verdict } from "../observe/Health.ts"
import type { Percentiles } from "../observe/MinutePercentiles.ts"
import type { ProgressView, Totals } from "../observe/ProgressView.ts"
import type { ShownSetting } from "../settings/Shown.ts"
import type { ChannelsView } from "../warehouse/Warehouse.ts"

/** One point of the charts. */
export interface Sample {
  readonly at: number
  readonly totals: Totals
  readonly lag: number | null
  readonly oldestPendingSeconds: number
  readonly bufferBytes: number
  readonly write: Percentiles | null
  readonly freshness: Percentiles | null
  /** Whether it was ready, as /readyz says. */
  readonly isReady: boolean
}

export interface Snapshot
  extends Sample,
    Pick<
      ProgressView,
      | "member"
      | "partitions"
      | "stoppedTopics"
      | "pausedTopics"
      | "tables"
      | "lastWrites"
      | "deadLetters"
      | "rows"
      | "errors"
    > {
  readonly startedAt: number
  readonly version: string
  readonly live: Verdict
  readonly ready: Verdict
  readonly group: string
  /** `localhost:19092`. */
  readonly reads: string
  /** `DuckDB demo.duckdb`. */
  readonly writes: string
  readonly delivery: string
  readonly bufferMaxBytes: number
  /** Estimated, since the start; null where nothing is paid by the hour. */
  readonly credits: number | null
  /** What Snowflake has accepted and not made durable yet; null where what is accepted is durable. */
  readonly channels: ChannelsView | null
  readonly process: { readonly cpu: number; readonly rssBytes: number; readonly eventLoopDelaySeconds: number }
}

/**
 * What a page gets once, when it connects: the settings (secrets as `<redacted>`) and up to 6 hours of samples: of the
 * last 15 minutes one a second, before that one each 30 seconds.
 */
export interface Hello {
  readonly settings: ReadonlyArray<ShownSetting>
  readonly samples: ReadonlyArray<Sample>
}
