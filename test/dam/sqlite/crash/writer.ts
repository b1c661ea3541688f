/** Writes jobs to a store as fast as it takes them and says on standard output what was acknowledged, until killed. */
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import * as SqliteJobStore from "../../../../src/dam/sqlite/SqliteJobStore.ts"
import { attempt, delivery, ended, job } from "../../../conformance/jobStore/Fixtures.ts"

const [path = "", round] = process.argv.slice(2)

// the pipe does not block: a reader that is behind makes the write fail, and nothing was written then
const say = (line: string): void => {
  for (;;) {
    try {
      return void writeSync(1, line)
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error
      Atomics.wait(moment, 0, 0, 1)
    }
  }
}

const moment = new Int32Array(new SharedArrayBuffer(4))

const acknowledge = (what: string, id: string) => Effect.sync(() => say(`${what} ${id}\n`))

let made = 0

const program = Effect.gen(function* () {
  const jobs = yield* SqliteJobStore.make({ path })
  const one = Effect.gen(function* () {
    const id = `${round}-${made++}`
    yield* jobs.enqueue(job(id))
    yield* acknowledge("queued", id)
    if (made % 3 === 0) return
    yield* jobs.start(id, 1)
    yield* acknowledge("started", id)
    yield* jobs.record(id, 1, attempt())
    yield* jobs.finish(id, 1, ended({ deliveries: [delivery(id, 0)], children: [job(`${id}-child`)] }))
    yield* acknowledge("finished", id)
  })
  yield* Effect.forEach(Array.from({ length: 64 }), () => Effect.forever(one), { concurrency: "unbounded" })
})

await Effect.runPromise(Effect.scoped(program))
