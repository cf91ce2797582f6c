/**
 * Every metric of the service, by the names that dashboards and alerts rely on; handles only, each series is bounded by
 * topics, tables and small sets of words.
 */
import * as Metric from "effect/Metric"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })
const gauge = (name: string, description: string) => Metric.gauge(name, { description })
const histogram = (name: string, description: string, boundaries: ReadonlyArray<number>) =>
  Metric.histogram(name, { description, boundaries: [...boundaries] })

export const metrics = {
  consumed: counter("bronze_records_consumed_total", "Records read from Kafka."),
  written: counter("bronze_rows_written_total", "Rows that are durable in the warehouse."),
  bytes: counter("bronze_bytes_written_total", "Bytes of keys, headers and payloads of those rows."),
  deadLetters: counter("bronze_dead_letters_total", "Records that are durable as dead letters."),
  skipped: counter("bronze_records_skipped_total", "Records skipped on purpose."),
  batches: counter("bronze_batches_total", "Durable writes, by flush trigger."),
  batchRows: histogram(
    "bronze_batch_rows",
    "Rows of a durable write.",
    [1, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000]
  ),
  writeSeconds: histogram(
    "bronze_write_duration_seconds",
    "Duration of durable writes, without failed attempts.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
  ),
  writeErrors: counter("bronze_write_errors_total", "Failed write attempts."),
  writeRetries: counter("bronze_write_retries_total", "Retries of writes."),
  lag: gauge(
    "bronze_consumer_lag",
    "Records of an assigned partition that are not durable yet: log end minus next offset."
  ),
  waiting: gauge("bronze_consumer_lag_open_transaction", "Records of the lag that are behind an open transaction."),
  freshness: histogram(
    "bronze_freshness_seconds",
    "Time from a record's timestamp in Kafka to its row being durable.",
    [0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 300, 900, 3600, 21_600, 86_400]
  ),
  oldestPending: gauge(
    "bronze_oldest_pending_seconds",
    "How long the oldest record in memory has waited to be durable."
  ),
  buffer: gauge("bronze_buffer_bytes", "Bytes of BUFFER_MAX_BYTES that records in memory use."),
  bufferMax: gauge("bronze_buffer_max_bytes", "BUFFER_MAX_BYTES."),
  assigned: gauge("bronze_assigned_partitions", "Partitions assigned to this member."),
  stopped: gauge("bronze_stopped_topics", "Topics stopped until they are reset, because Kafka lost records."),
  credits: gauge(
    "bronze_warehouse_credits",
    "Snowflake credits that this process has made a warehouse of size XS cost since its start, estimated from its statements."
  ),
  channels: gauge("bronze_streaming_channels", "Channels of Snowpipe Streaming that are open."),
  offsetsBehind: gauge(
    "bronze_streaming_offsets_behind",
    "Offsets that Snowflake has accepted and not made durable yet."
  ),
  uncommitted: gauge(
    "bronze_streaming_uncommitted_bytes",
    "Bytes, before compression, that Snowflake has accepted and not made durable yet."
  ),
  streamingRequests: counter("bronze_streaming_requests_total", "Requests with rows, repeated ones among them."),
  streamingRetries: counter("bronze_streaming_retries_total", "Requests with rows that repeated another."),
  rejectedRows: counter(
    "bronze_streaming_rejected_rows_total",
    "Rows that Snowflake accepted and then rejected: they are in no table."
  ),
  ready: gauge("bronze_ready", "1 while /readyz answers 200."),
  rebalances: counter("bronze_rebalances_total", "Rebalances that revoked this member's assignment."),
  fenced: counter(
    "bronze_fenced_writes_total",
    "Writes refused by the ledger, because another member holds the partition."
  ),
  reconnects: counter("bronze_reconnects_total", "Reconnects to a peer that was unreachable."),
  buildInfo: gauge("bronze_build_info", "Always 1; the labels hold the version."),
  cpuSeconds: counter("process_cpu_seconds_total", "CPU time of this process, user and system."),
  rss: gauge("process_resident_memory_bytes", "Resident memory of this process."),
  startTime: gauge("process_start_time_seconds", "When this process started, in seconds since 1970."),
  eventLoopDelay: gauge(
    "nodejs_eventloop_delay_p99_seconds",
    "Delay of the event loop, 99th percentile since the last sample."
  )
}

/** What a dashboard or a rule may ask for. */
export const names: ReadonlyArray<string> = Object.values(metrics).map(({ id }) => id)
