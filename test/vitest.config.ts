import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

// workers, and the threads that tests start in them, read what others have compiled
process.env["NODE_COMPILE_CACHE"] ??= path("../.tmp/compile-cache")

// one sets variables of the environment, which Effect reads once per process; two need a module that nobody has used yet
const ofTheirOwn = [
  "test/docs/recipes.test.ts",
  "test/run/LaterInterpreter.test.ts",
  "test/transport/LaterCauses.test.ts"
]

// what is killed must have written within a quarter of a second what it was answered, which a busy machine does not give it
const alone = ["test/system/damKills.test.ts", "test/system/deliveryKills.test.ts"]

const helpers = ["test/fixtures/**", "test/bench/**"]

export default defineConfig({
  root: path(".."),
  resolve: {
    // The package by its own name means the sources here; only test/system sees what is published.
    alias: [
      { find: /^ezthrottle-effect$/, replacement: path("../src/index.ts") },
      { find: /^ezthrottle-effect\/(.+)$/, replacement: `${path("../src")}/$1.ts` }
    ]
  },
  test: {
    // bounds the child processes of test/docs.test.ts
    maxConcurrency: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "behaviour",
          include: ["test/**/*.test.ts"],
          exclude: ["test/system/**", "test/long/**", ...ofTheirOwn, ...helpers],
          testTimeout: 60_000,
          // Effect and the sources are read once per worker: files keep no state of their own in them, and give back
          // what they change of the process
          isolate: false,
          // one for each core: files that wait for child processes leave theirs to the others
          maxWorkers: availableParallelism()
        }
      },
      {
        extends: true,
        test: {
          name: "behaviour of their own",
          include: ofTheirOwn,
          testTimeout: 60_000
        }
      },
      {
        extends: true,
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          exclude: [...alone, ...helpers],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // they wait for child processes half of the time: two at once took 246 s where one after the other took 335
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 }
        }
      },
      {
        extends: true,
        test: {
          name: "system alone",
          include: alone,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 }
        }
      },
      {
        extends: true,
        test: {
          // what needs tools that not every machine has, or half an hour; what cannot be tried is counted as skipped
          name: "long",
          include: ["test/long/**/*.test.ts"],
          exclude: helpers,
          testTimeout: 900_000,
          hookTimeout: 300_000
        }
      }
    ]
  }
})
