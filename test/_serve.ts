import * as Effect from "effect/Effect"
import * as SqliteJobStore from "../src/dam/SqliteJobStore.ts"
import * as Events from "../src/dam/Events.ts"
import * as HttpServer from "../src/dam/HttpServer.ts"
import { JobStore } from "../src/dam/JobStore.ts"
import { Engine } from "../src/dam/Engine.ts"
import * as Dns from "effect/net/Dns"
import { dns, engine } from "./dam/HttpDouble.ts"
const mode = process.argv[2]
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const real = yield* SqliteJobStore.make({ path: mode === "null" ? ":memory:" : process.argv[3]!, executor: mode === "null" ? "sameThread" : "worker" })
  const store = mode === "null" ? { ...real, enqueue: () => Effect.succeed({ _tag: "Stored" as const, state: "queued" as const }) } : real
  const http = yield* HttpServer.make({ port: 18099 }).pipe(
    Effect.provideService(JobStore, store), Effect.provideService(Engine, engine(store, Events.make())), Effect.provideService(Dns.Dns, dns))
  console.log(http.url)
  yield* Effect.never
})))
