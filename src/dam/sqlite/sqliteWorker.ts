/**
 * The thread that writes: opens the database it is told to, then runs what it is sent, until an empty message.
 *
 * Whatever has arrived by the time it is free goes into one transaction.
 */
import * as Result from "effect/Result"
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import type { Call } from "../rows/Calls.ts"
import { make } from "./Groups.ts"
import type { Answers } from "./Executor.ts"

/** Calls from which on a group is large enough. */
const enough = 512

/** What has arrived meanwhile. Deno does not let a thread look at its own port: there each message is a group. */
const arrived = (port: MessagePort) =>
  Result.getOrElse(
    Result.try(() => receiveMessageOnPort(port)),
    () => undefined
  )

const opened = make(workerData)

parentPort?.postMessage(Result.isSuccess(opened) ? undefined : opened.failure)

if (parentPort !== null && Result.isSuccess(opened)) {
  const port = parentPort
  const engine = opened.success
  port.on("message", (first: ReadonlyArray<Call>) => {
    const calls = [...first]
    let messages = 1
    let isLast = first.length === 0
    while (!isLast && calls.length < enough) {
      const next: { readonly message: ReadonlyArray<Call> } | undefined = arrived(port)
      if (next === undefined) break
      isLast = next.message.length === 0
      if (isLast) break
      messages++
      calls.push(...next.message)
    }
    if (calls.length > 0) port.postMessage({ ...engine.run(calls), messages } satisfies Answers)
    if (!isLast) return
    engine.close()
    // a thread of Deno outlives its port: whoever asked for the end is told, and ends it
    port.postMessage(null)
  })
}
