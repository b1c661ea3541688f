/** Opens a store, says what came of it, files a job where it may, and lets the file go. */
import * as Effect from "effect/Effect"
import * as SqliteJobStore from "../../../../src/dam/sqlite/SqliteJobStore.ts"
import { job } from "../../../conformance/jobStore/Fixtures.ts"

const [path = ""] = process.argv.slice(2)

const program = Effect.flatMap(SqliteJobStore.make({ path, executor: "sameThread" }), (jobs) =>
  Effect.as(jobs.enqueue(job("of the second")), "opened")
)

const said = await Effect.runPromise(
  Effect.scoped(program).pipe(Effect.catch(({ message }) => Effect.succeed(message)))
)
console.log(said)
