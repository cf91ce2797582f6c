// What "the broker is ready" means: metadata names every broker of the cluster and a consumer group can find its
// coordinator.
import { Kafka, logLevel } from "kafkajs"

export const quietKafka = (bootstrap: string): Kafka =>
  new Kafka({
    clientId: "bronze-scripts",
    brokers: bootstrap.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    retry: { retries: 0 }
  })

/** Rejects while the cluster is not ready. */
export const assertReady = async (bootstrap: string, brokers: number): Promise<void> => {
  const admin = quietKafka(bootstrap).admin()
  try {
    await admin.connect()
    const cluster = await admin.describeCluster()
    if (cluster.brokers.length < brokers) throw new Error(`${cluster.brokers.length} of ${brokers} brokers are there`)
    // The first look for a coordinator creates __consumer_offsets; done here, no test pays for it or sees its error.
    await admin.fetchOffsets({ groupId: "bronze-warm-up", topics: [] })
  } finally {
    await admin.disconnect()
  }
}
