import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:http"
import * as Client from "../../src/run/Client.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as NodeClient from "../../src/run/NodeClient.ts"
import { Service } from "../../src/run/Service.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import { FakeService } from "../../src/testing/FakeService.ts"

const job = { job_id: "job-1", status: "queued" }
const accepted = {
  status: "allowed",
  forwarded_response: { status_code: 201, headers: {}, body: JSON.stringify(job) }
}

/** A platform whose `fetch` takes every job, and what it was asked. */
const platform = () => {
  const asked: Array<{ readonly url: string; readonly authorization: string | null }> = []
  const fetch: typeof globalThis.fetch = (url, init) => {
    asked.push({ url: String(url), authorization: new Headers(init?.headers).get("authorization") })
    return Promise.resolve(Response.json(accepted))
  }
  return { asked, fetch }
}

const environment = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const handOver = (options?: Client.ClientOptions) =>
  EZThrottle.submit(Step.post("https://a.example/")).pipe(Effect.provide(Client.layer(options)))

describe("a client in one call", () => {
  it.effect("takes key and base URLs from the environment", () =>
    Effect.gen(function* () {
      const { asked, fetch } = platform()
      const { jobId } = yield* handOver({ fetch }).pipe(
        environment({ EZTHROTTLE_API_KEY: "from-env", EZTHROTTLE_TRACKTAGS_URL: "https://proxy.example" })
      )
      assert.strictEqual(jobId, "job-1")
      assert.deepStrictEqual(asked, [{ url: "https://proxy.example/api/v1/proxy", authorization: "Bearer from-env" }])
    })
  )

  it.effect("prefers what it is given", () =>
    Effect.gen(function* () {
      const { asked, fetch } = platform()
      yield* handOver({ apiKey: Redacted.make("given"), tracktagsUrl: "https://given.example", fetch }).pipe(
        environment({ EZTHROTTLE_API_KEY: "from-env", EZTHROTTLE_TRACKTAGS_URL: "https://proxy.example" })
      )
      assert.deepStrictEqual(asked, [{ url: "https://given.example/api/v1/proxy", authorization: "Bearer given" }])
    })
  )

  it.effect("goes to the dam that the environment names, before the other variables and without a key", () =>
    Effect.gen(function* () {
      const both = { EZTHROTTLE_URL: "https://service.example", EZTHROTTLE_TRACKTAGS_URL: "https://proxy.example" }
      const local = platform()
      yield* handOver({ fetch: local.fetch }).pipe(
        environment({ ...both, EZTHROTTLE_DAM_URL: "http://localhost:8080/" })
      )
      assert.deepStrictEqual(local.asked, [{ url: "http://localhost:8080/api/v1/proxy", authorization: null }])
      const given = platform()
      yield* handOver({ fetch: given.fetch, dam: "http://[::1]:8081" }).pipe(
        environment({ EZTHROTTLE_DAM_URL: "http://localhost:8080" })
      )
      assert.deepStrictEqual(given.asked, [{ url: "http://[::1]:8081/api/v1/proxy", authorization: null }])
      const placed = platform()
      yield* handOver({ fetch: placed.fetch, tracktagsUrl: "https://given.example" }).pipe(
        environment({ EZTHROTTLE_DAM_URL: "http://localhost:8080", EZTHROTTLE_API_KEY: "key" })
      )
      assert.strictEqual(placed.asked[0]?.url, "https://given.example/api/v1/proxy")
    })
  )

  it.effect(
    "takes the service it is provided with, before the environment, and not where it is told another place",
    () =>
      Effect.gen(function* () {
        const fake = yield* FakeService.make()
        const provided = Layer.succeed(Service, fake)
        const { asked, fetch } = platform()
        const submit = (options: Client.ClientOptions) =>
          EZThrottle.submit(Step.post("https://a.example/")).pipe(
            Effect.provide(Client.layer({ fetch, ...options }).pipe(Layer.provide(provided))),
            environment({ EZTHROTTLE_DAM_URL: "http://localhost:8080" })
          )
        yield* submit({})
        assert.lengthOf(yield* fake.delegations, 1)
        assert.isEmpty(asked)
        yield* submit({ dam: "http://localhost:8081" })
        assert.lengthOf(yield* fake.delegations, 1)
        assert.strictEqual(asked[0]?.url, "http://localhost:8081/api/v1/proxy")
      })
  )

  it.effect("names a dam's URL that cannot be one", () =>
    Effect.gen(function* () {
      const { asked, fetch } = platform()
      const error = yield* Effect.flip(handOver({ fetch }).pipe(environment({ EZTHROTTLE_DAM_URL: "localhost:8080" })))
      assert.include(error.message, "dam: Expected the http:// or https:// URL of a dam")
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("misses the key only when a remote call is needed", () =>
    Effect.gen(function* () {
      const transport = {
        kind: "exchanging",
        regions: Effect.succeed([]),
        send: () => Effect.succeed(Reply.response(200))
      } as const
      const { asked, fetch } = platform()
      const [here, there] = yield* Effect.all([
        EZThrottle.execute(Step.get("https://a.example/").pipe(Step.frugal())),
        Effect.flip(EZThrottle.execute(Step.get("https://a.example/")))
      ]).pipe(Effect.provide(Client.layer({ transport, fetch })), environment({}))
      assert.strictEqual(here._tag, "Completed")
      assert.include(there.message, "set the environment variable EZTHROTTLE_API_KEY")
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("makes a transport for as long as it lives", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const transport = Effect.acquireRelease(
        Effect.sync(() => {
          said.push("opened")
          return {
            kind: "exchanging",
            regions: Effect.succeed([]),
            send: () => Effect.sync(() => (said.push("sent"), Reply.response(200)))
          } as const
        }),
        () => Effect.sync(() => said.push("closed"))
      )
      yield* EZThrottle.execute(Step.get("https://a.example/").pipe(Step.frugal())).pipe(
        Effect.provide(Client.layer({ transport })),
        environment({})
      )
      assert.deepStrictEqual(said, ["opened", "sent", "closed"])
    })
  )

  it.effect("hands steps to another service, and asks the environment nothing then", () =>
    Effect.gen(function* () {
      const broken = ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "unreadable" })))
      const withBroken = Effect.provideService(ConfigProvider.ConfigProvider, broken)
      const fake = yield* FakeService.make()
      const { jobId } = yield* withBroken(handOver({ service: fake }))
      assert.deepStrictEqual(
        (yield* fake.jobs).map((job) => job.jobId),
        [jobId]
      )
      const error = yield* Effect.flip(withBroken(handOver()))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, "unreadable")
    })
  )

  it.effect("calls targets over fetch unless it is given a transport, and keeps to its limit", () =>
    Effect.gen(function* () {
      const error = yield* EZThrottle.execute(Step.get("https://a.example/").pipe(Step.frugal())).pipe(
        Effect.flip,
        Effect.provide(Client.layer({ maxResponseBytes: 4 })),
        environment({}),
        withGlobalFetch(() => Promise.resolve(new Response("five!")))
      )
      assert.strictEqual(error.reason._tag, "ResponseTooLarge")
    })
  )
})

describe("a client for Node in one call", () => {
  it.live("calls targets over undici, GET with a body included", () =>
    Effect.gen(function* () {
      const url = yield* echo
      const step = Step.get(url, { body: "ping" }).pipe(Step.frugal())
      const outcome = yield* EZThrottle.execute(step).pipe(Effect.provide(NodeClient.layer()))
      assert.strictEqual(outcome._tag === "Completed" && Reply.text(outcome.response), "GET ping")
    })
  )
})

/** The local transport looks the platform's `fetch` up at each call. */
const withGlobalFetch =
  (fetch: typeof globalThis.fetch) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const before = globalThis.fetch
        globalThis.fetch = fetch
        return before
      }),
      () => effect,
      (before) => Effect.sync(() => (globalThis.fetch = before))
    )

const echo = Effect.acquireRelease(
  Effect.callback<ReturnType<typeof createServer>>((resume) => {
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => (body += chunk)).on("end", () => response.end(`${request.method} ${body}`))
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)).closeAllConnections())
).pipe(Effect.map((server) => `http://127.0.0.1:${Object(server.address()).port}/`))
