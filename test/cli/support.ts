/** The whole command line in this process, and a dam for it that listens on a free port of loopback. */
import * as Console from "effect/Console"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as NodeDns from "@effect/platform-node/NodeDns"
import { EventEmitter } from "node:events"
import * as Dispatcher from "../../src/dam/work/Dispatcher.ts"
import * as EgressPolicy from "../../src/dam/egress/EgressPolicy.ts"
import { Engine } from "../../src/dam/work/Engine.ts"
import * as HttpServer from "../../src/dam/http/HttpServer.ts"
import * as IntakeId from "../../src/dam/job/JobId.ts"
import { laneOf } from "../../src/dam/job/LaneName.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import * as UndiciTransport from "../../src/transport/UndiciTransport.ts"
import { execute } from "../../src/cli/main.ts"
import * as Loopback from "../system/support/Loopback.ts"

// every command listens for Ctrl-C while it runs, and tests run many at once
EventEmitter.defaultMaxListeners = 50

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line to its end; the environment is the one given and no other. */
export const run = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {}
): Effect.Effect<Ran> =>
  Effect.suspend(() => {
    const out: Array<string> = []
    const err: Array<string> = []
    const console: Console.Console = Object.assign(Object.create(globalThis.console), {
      log: (...parts: ReadonlyArray<unknown>) => out.push(parts.join(" ")),
      error: (...parts: ReadonlyArray<unknown>) => err.push(parts.join(" "))
    })
    return execute(args).pipe(
      Effect.map((code) => ({ code, out: out.join("\n"), err: err.join("\n") })),
      Effect.provideService(Console.Console, console),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(environment))
    )
  })

interface Options extends HttpServer.HttpOptions {
  readonly egress?: EgressPolicy.EgressPolicy
}

/** A dam whose jobs really go to a server on loopback. */
export const dam = ({ egress = EgressPolicy.open, ...options }: Options = {}) =>
  Effect.gen(function* () {
    const upstream = yield* server(Loopback.upstream)
    const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
    const transport = yield* UndiciTransport.make({ followRedirects: false })
    const engine = yield* Dispatcher.make({
      ...Dispatcher.defaults,
      egress,
      drain: Duration.seconds(1),
      pacing: { pace: { rps: 1000, maxConcurrent: 100 } },
      store,
      transport,
      webhooks: transport,
      newId: IntakeId.fresh,
      laneOf
    })
    const http = yield* HttpServer.make({ port: 0, ...options }).pipe(
      Effect.provideService(Engine, engine),
      Effect.provideService(JobStore, store),
      Effect.provide(NodeDns.layer)
    )
    return {
      ...http,
      store,
      upstream,
      /** Runs a command against it. */
      run: (...args: ReadonlyArray<string>) => run([...args, "--url", http.url])
    }
  })

/** A server of a test, closed at its end. */
export const server = (start: () => Promise<Loopback.Loopback>) =>
  Effect.acquireRelease(Effect.promise(start), (server) => Effect.promise(() => server.close()))

/** Submits a job as any client would, and answers its id. */
export const submit = (url: string, job: unknown): Effect.Effect<string> =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}/api/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(job)
    })
    const text = await answer.text()
    if (answer.status !== 201) throw new Error(`${answer.status} ${text}`)
    return String(JSON.parse(text).job_id)
  })

/** Ids and times that differ from run to run. */
export const settled = (text: string): string =>
  text
    .replace(/job_[0-9A-Za-z]{26}/g, "job_<id>")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:<port>")
    .replace(/\b\d+(ms|s|m)\b/g, "<span>")
