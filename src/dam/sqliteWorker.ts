/** The thread that writes: opens the database it is told to, then runs every group it is sent, until an empty message. */
import * as Result from "effect/Result"
import { parentPort, workerData } from "node:worker_threads"
import { type Call, make } from "./SqliteEngine.ts"

const opened = make(workerData)

parentPort?.postMessage(Result.isSuccess(opened) ? undefined : opened.failure)

if (Result.isSuccess(opened)) {
  const engine = opened.success
  parentPort?.on("message", (calls: ReadonlyArray<Call> | undefined) => {
    if (calls !== undefined) return parentPort?.postMessage(engine.run(calls))
    engine.close()
    return parentPort?.close()
  })
}
