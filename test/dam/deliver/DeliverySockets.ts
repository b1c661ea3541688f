/** Real servers for tests of deliveries, and waiting for what becomes of one. */
import * as Effect from "effect/Effect"
import { createServer, type RequestListener } from "node:http"
import type { JobStore } from "../../../src/dam/store/JobStore.ts"

/** A server on a free port of loopback; its URL ends with a slash. */
export const listening = (answer: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly stop: () => void }>((resume) => {
      const server = createServer(answer)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${port}/`,
            stop: () => {
              server.close()
              server.closeAllConnections()
            }
          })
        )
      })
    }),
    ({ stop }) => Effect.sync(stop)
  )

/** Waits until a job's delivery is settled. */
export const settled = (store: Pick<JobStore["Service"], "deliveries">, jobId: string) =>
  Effect.gen(function* () {
    while (true) {
      const [delivery] = yield* store.deliveries(jobId)
      if (delivery !== undefined && delivery.state !== "pending") return delivery
      yield* Effect.sleep("10 millis")
    }
  })
