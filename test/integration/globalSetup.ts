/** Starts the broker that the integration tests share: a real Apache Kafka, in a folder of its own. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { startBroker } from "../../scripts/kafka/broker.ts"

declare module "vitest" {
  export interface ProvidedContext {
    readonly kafka: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "bronze-kafka-"))
  const broker = await startBroker({ dataDir })
  project.provide("kafka", broker.bootstrap)
  return async () => {
    await broker.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
