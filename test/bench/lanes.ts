/**
 * What a lane holds in memory while nobody needs it: lanes that were only made, lanes through which one call went, and
 * lanes in which one job is queued. Heap that survives a collection, for each lane, and in the end what is resident,
 * above a process in which all of it was done in one lane (wanted: 60 MiB at most). `BENCH_SNAPSHOT=file` writes what is
 * there in the end, to be opened in a browser's developer tools.
 */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { setFlagsFromString, writeHeapSnapshot } from "node:v8"
import { runInNewContext } from "node:vm"
import { keepOldSpaceSmall, keepYoungSpaceSmall } from "../../src/cli/serving/Heap.ts"
import * as Lanes from "../../src/dam/lane/Lanes.ts"
import * as Places from "../../src/dam/lane/Places.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import { job } from "./store/Jobs.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const total = quick ? 200 : 10_000
const [given] = process.argv.slice(2)
const lanesMade = given === undefined ? total : Number(given)
const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024)

// as the command does
keepYoungSpaceSmall()
keepOldSpaceSmall()
setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const used = () => {
  for (let round = 0; round < 3; round++) collect()
  return process.memoryUsage().heapUsed
}

/** Looks at the heap before and after something happens in every lane. */
const each = (name: string, change: (lane: string) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const before = used()
    for (let place = 0; place < total; place++) yield* change(`h${place % lanesMade}.example:443`)
    yield* Effect.sleep(quick ? 50 : 1000)
    const bytes = used() - before
    if (given === undefined)
      console.log(
        `${name}: ${Math.round(bytes / total).toLocaleString("en")} bytes a lane, ${mebibytes(bytes)} MiB of ${total.toLocaleString("en")}`
      )
  })

const program = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const options = { start: () => Effect.never, room: Places.make(() => 0).of }
  const lanes = yield* Lanes.make(store, { pace: { rps: 1e6, maxConcurrent: 1e6 } }, options)
  yield* lanes.wake("first.example:443")
  yield* each("only made", (lane) => lanes.wake(lane))
  yield* each("one call went through", (lane) =>
    Effect.uninterruptible(
      Effect.flatMap(lanes.acquire(lane, "customer"), ({ depart, release }) => Effect.andThen(depart(), release))
    )
  )
  yield* each("one job is queued", (lane) =>
    Effect.andThen(store.enqueue({ ...job(), lane }), lanes.wake(lane, "customer"))
  )
  const file = process.env["BENCH_SNAPSHOT"]
  if (file !== undefined) writeHeapSnapshot(file)
})

await Effect.runPromise(Effect.scoped(program))

collect()
const resident = process.memoryUsage.rss()
if (given === undefined) {
  const one = Number(execFileSync(process.execPath, [import.meta.filename, "1"], { encoding: "utf8" }))
  console.log(`resident: ${mebibytes(resident)} MiB, ${mebibytes(resident - one)} MiB above one lane`)
} else console.log(resident)
