/** A second dam on a port of loopback, as another machine would run it, and a target that does as it is told. */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Dam from "../../../src/dam/Dam.ts"
import type { EgressPolicy } from "../../../src/dam/egress/EgressPolicy.ts"
import { Engine } from "../../../src/dam/work/Engine.ts"
import * as HttpServer from "../../../src/dam/http/HttpServer.ts"
import type { StoredJob } from "../../../src/dam/job/Job.ts"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import { trusting } from "../http/HttpDouble.ts"
import { fast } from "../support.ts"

/** A dam in this process that may reach loopback. */
export const running = Effect.fnUntraced(function* (options: Partial<Dam.DamOptions> = {}) {
  const dam = yield* Dam.make({ path: ":memory:", pacing: fast, egress: trusting, ...options })
  return {
    ...dam,
    /** Its jobs, oldest first. */
    jobs: Effect.map(dam.store.list({ customer: "local", limit: 100 }), ({ jobs }) => jobs.toReversed()),
    /** Waits until a job has ended. */
    ended: (id: string): Effect.Effect<StoredJob, unknown> =>
      Effect.andThen(
        dam.service.results.await(id),
        Effect.flatMap(dam.store.get(id), (job) => Effect.fromNullishOr(job))
      )
  }
})

/** The same, listening. */
export const listening = Effect.fnUntraced(function* ({
  egress = trusting,
  ...options
}: HttpServer.HttpOptions & { readonly egress?: EgressPolicy } = {}) {
  const dam = yield* running({ egress, drain: Duration.seconds(1) })
  const { url } = yield* HttpServer.make({ port: 0, ...options }).pipe(
    Effect.provideContext(Context.make(Engine, dam.engine).pipe(Context.add(JobStore, dam.store))),
    Effect.provide(NodeDns.layer)
  )
  return { ...dam, url }
})

/** A call as the target saw it. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: Buffer
  /** Whether the caller hung up before it had its answer. */
  abandoned: boolean
}

/** Starts a target; it ends with the scope. */
export const target = Effect.fnUntraced(function* (answer: (call: Call, response: ServerResponse) => void) {
  const calls: Array<Call> = []
  const watchers = new Set<() => void>()
  const changed = () => watchers.forEach((look) => look())
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { headers, method = "", url: path = "" } = request
      const call: Call = { method, path, headers, body: Buffer.concat(chunks), abandoned: false }
      response.on("close", () => {
        call.abandoned = !response.writableFinished
        changed()
      })
      calls.push(call)
      changed()
      answer(call, response)
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const until = (holds: () => boolean): Effect.Effect<void> =>
    Effect.callback((resume) => {
      const look = () => {
        if (holds()) resume(Effect.void)
      }
      watchers.add(look)
      look()
      return Effect.sync(() => watchers.delete(look))
    })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    calls,
    /** Waits for this many calls. */
    called: (count = 1) => until(() => calls.length >= count),
    /** Waits for a caller to hang up. */
    abandoned: until(() => calls.some((call) => call.abandoned))
  }
})
