/**
 * The thread that writes: opens the database it is told to, then runs what it is sent, until an empty message.
 *
 * Whatever has arrived by the time it is free goes into one transaction.
 */
import * as Result from "effect/Result"
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { type Call, make } from "./Groups.ts"
import type { Answers } from "./Executor.ts"

/** Calls from which on a group is large enough. */
const enough = 512

const opened = make(workerData)

parentPort?.postMessage(Result.isSuccess(opened) ? undefined : opened.failure)

if (parentPort !== null && Result.isSuccess(opened)) {
  const port = parentPort
  const engine = opened.success
  port.on("message", (first: ReadonlyArray<Call> | undefined) => {
    const calls = [...(first ?? [])]
    let messages = 1
    let last: ReadonlyArray<Call> | undefined = first
    while (last !== undefined && calls.length < enough) {
      const next = receiveMessageOnPort(port)
      if (next === undefined) break
      last = next.message
      if (last === undefined) break
      messages++
      calls.push(...last)
    }
    if (calls.length > 0) port.postMessage({ ...engine.run(calls), messages } satisfies Answers)
    if (last !== undefined) return
    engine.close()
    port.close()
  })
}
