/** A dam in a process of its own: started, announced, and brought to rest when it is asked to stop. */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Dam from "../../dam/Dam.ts"
import * as Storage from "../../dam/embedded/Storage.ts"
import { Engine } from "../../dam/work/Engine.ts"
import { defaultPace } from "../../engine/pace/Gate.ts"
import * as HttpServer from "../../dam/http/HttpServer.ts"
import * as KeysFile from "../../dam/http/door/KeysFile.ts"
import { JobStore } from "../../dam/store/JobStore.ts"
import { banner } from "./Banner.ts"
import * as Observability from "./Observability.ts"
import type { Settings } from "./Settings.ts"
import * as Signals from "../output/Signals.ts"
import { version } from "../../transport/Version.ts"

/** The dam could not start; the command ends with 1. */
export class CannotStart extends Schema.TaggedError<CannotStart>()("CannotStart", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** How long what is under way may take to end after the first signal. */
const drain = Duration.seconds(10)

/** Runs a dam until a signal asks it to stop, then lets what is under way end. */
export const serve = (settings: Settings): Effect.Effect<void, CannotStart> =>
  Effect.scoped(
    Effect.gen(function* () {
      const signal = yield* Signals.make
      yield* Effect.raceFirst(
        Effect.scoped(Effect.andThen(start(settings), Effect.never)),
        Effect.flatMap(signal, (name) =>
          Console.log(`${name}: no new work is taken; what is under way may end (once more to stop at once)`)
        )
      )
      yield* Console.log("stopped; what is left goes on at the next start")
    })
  ).pipe(Effect.provide(Observability.layer))

const start = Effect.fnUntraced(function* (settings: Settings): Effect.fn.Return<void, CannotStart, Scope.Scope> {
  const { backupDir, file, host, policy, port, storage } = settings
  const keys =
    settings.keysFile === undefined
      ? settings.keys
      : yield* KeysFile.follow(settings.keysFile).pipe(
          Effect.provide(NodeFileSystem.layer),
          Effect.mapError(({ message }) => new CannotStart({ problem: message }))
        )
  const { backup, copiedAt, engine, regions, store } = yield* Effect.mapError(
    Dam.make({
      drain,
      ...file.dam,
      ...storage,
      egress: policy,
      masterKey: settings.masterKey,
      resumeCopy: settings.resumeCopy,
      textSearch: settings.textSearch,
      l8: file.dam.l8 && { ...file.dam.l8, privateKey: settings.l8Key }
    }),
    ({ message }) => new CannotStart({ problem: message })
  )
  const pace = { ...defaultPace, ...file.dam.pacing?.pace }
  const server = yield* HttpServer.make({
    ...file.http,
    host,
    port,
    keys,
    backups: backupDir === undefined ? undefined : { folder: backupDir, copy: (to) => backup(to) },
    health: Effect.sync(() => ({
      version,
      pace: { rps: pace.rps, max_concurrent: pace.maxConcurrent },
      ...(copiedAt === undefined ? {} : { is_copy_of: copiedAt }),
      // names that are not configured leave from here
      regions: { ...regions.configured, "*": "direct" },
      unconfigured_regions: regions.unconfigured()
    }))
  }).pipe(
    Effect.provideContext(Context.make(Engine, engine).pipe(Context.add(JobStore, store))),
    Effect.provide(NodeDns.layer),
    Effect.mapError((error) => new CannotStart({ problem: problemOf(error, settings) }))
  )
  // before the server closes: one limit for both, and nothing is started while answers end
  yield* Effect.addFinalizer(() => engine.leave)
  const { deadDeliveries, jobs } = yield* Effect.mapError(
    store.stats,
    ({ message }) => new CannotStart({ problem: message })
  )
  const waiting = jobs.queued + jobs.scheduled + jobs.parked
  const hosts = Object.keys(file.dam.pacing?.hosts ?? {}).length
  yield* Console.log(
    banner({
      version,
      url: server.url,
      data: `${placeOf(storage)} (${waiting} jobs waiting, ${deadDeliveries} dead deliveries)`,
      customers: keys?.customers.size,
      policy,
      regions: Object.entries(regions.configured),
      l8: engine.l8?.publicKey,
      pace: `${pace.rps} per second and ${pace.maxConcurrent} at once for each host${hosts === 0 ? "" : `, ${hosts} hosts of their own`}`,
      copy: copiedAt === undefined ? undefined : { at: copiedAt, age: (yield* Clock.currentTimeMillis) - copiedAt },
      millis: Math.round(performance.now())
    })
  )
})

const placeOf = (storage: Settings["storage"]): string => {
  const name = Storage.nameOf(storage)
  return name === ":memory:" ? "in memory only, gone when it stops" : name
}

const problemOf = (error: ServeError | HttpServer.KeysRequired, { host, port }: Settings): string => {
  if (error._tag === "KeysRequired") return error.message
  const { cause } = error
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is in use by another program; stop it or choose another with --port`
    case "EACCES":
      return `port ${port} needs more rights than this process has; choose one above 1023 with --port`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is no address of this machine; choose another with --host`
    default:
      return `cannot listen on port ${port} of ${host}: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}
