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

// Groups run one after the other: two cores are not enough for real brokers beside everything else.
const shared = { environment: "node" as const, hookTimeout: 180_000 }

export default defineConfig({
  test: {
    reporters: ["default", ["json", { outputFile: ".cache/test-results.json" }]],
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          sequence: { groupOrder: 0 },
          include: ["test/**/*.test.ts"],
          exclude: ["test/integration/**", "test/chaos/**"],
          testTimeout: 30_000
        }
      },
      {
        test: {
          ...shared,
          name: "integration",
          sequence: { groupOrder: 1 },
          include: ["test/integration/**/*.test.ts"],
          globalSetup: "test/integration/globalSetup.ts",
          testTimeout: 120_000,
          // Real brokers and processes share two cores: one file at a time, so that no test waits for another's load.
          fileParallelism: false
        }
      },
      {
        test: {
          ...shared,
          name: "chaos",
          sequence: { groupOrder: 2 },
          include: ["test/chaos/**/*.test.ts"],
          testTimeout: 420_000,
          fileParallelism: false
        }
      }
    ]
  }
})
