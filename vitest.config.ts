import { defineConfig } from "vitest/config"

// Vitest 5 runs on Node 20, but its report of failures asks for a function that came with Node 21.
if (!("groupBy" in Map)) {
  const groupBy = <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, Array<T>> => {
    const groups = new Map<K, Array<T>>()
    let index = 0
    for (const item of items) {
      const key = keyOf(item, index++)
      groups.set(key, [...(groups.get(key) ?? []), item])
    }
    return groups
  }
  Object.defineProperty(Map, "groupBy", { value: groupBy })
}

/**
 * The loops, one after the other: two cores are not enough for real brokers beside everything else. The numbers start
 * at 1, because vitest runs a project of one worker in group 0 after all others.
 */
const loop = (name: string, groupOrder: number, testTimeout: number) => ({
  name,
  environment: "node" as const,
  include: [`test/${name}/**/*.test.ts`],
  sequence: { groupOrder },
  testTimeout,
  hookTimeout: 180_000
})

export default defineConfig({
  test: {
    reporters: ["default", ["json", { outputFile: ".cache/test-results.json" }]],
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text", "html"], reportsDirectory: "coverage" },
    projects: [
      { test: loop("unit", 1, 30_000) },
      { test: loop("contract", 2, 60_000) },
      // Real brokers and processes: most of their time is waiting, so that two files at a time are not too many.
      {
        test: {
          ...loop("integration", 3, 120_000),
          globalSetup: "test/integration/globalSetup.ts",
          maxWorkers: 2
        }
      },
      { test: { ...loop("chaos", 4, 420_000), fileParallelism: false } }
    ]
  }
})
