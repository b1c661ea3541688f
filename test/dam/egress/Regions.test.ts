import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as Redacted from "effect/Redacted"
import * as Dam from "../../../src/dam/Dam.ts"
import * as Schedule from "../../../src/dam/deliver/Schedule.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import type { RegionOptions } from "../../../src/dam/egress/Region.ts"
import * as Regions from "../../../src/dam/egress/Regions.ts"
import * as TimeLimit from "../../../src/transport/TimeLimit.ts"
import { userAgent } from "../../../src/transport/Version.ts"
import * as Step from "../../../src/step/Step.ts"
import * as ConnectProxy from "./ConnectProxy.ts"
import * as OtherDam from "./AnotherDam.ts"
import { jobOf, lines } from "../support.ts"

const key = Redacted.make("any-key")

/** Runs one step to its end in a dam with these regions. */
const run = Effect.fnUntraced(function* (dam: Effect.Success<ReturnType<typeof OtherDam.running>>, step: Step.Step) {
  const job = yield* jobOf(step)
  yield* dam.engine.submit(job)
  return yield* dam.ended(job.id)
})

describe("the regions of a dam", () => {
  it.live("call as the dam where a job names no User-Agent, and webhooks too", () =>
    Effect.gen(function* () {
      const target = yield* OtherDam.target((_, response) => void response.end("fine"))
      const dam = yield* OtherDam.running({})
      const { origin } = new URL(target.url)
      yield* run(dam, Step.get(`${origin}/named`).pipe(Step.headers({ "User-Agent": "theirs" })))
      yield* run(dam, Step.get(`${origin}/plain`).pipe(Step.webhooks([{ url: `${origin}/hook` }])))
      yield* target.called(3)
      const agents = target.calls.map(({ headers, path }) => `${path} ${headers["user-agent"]}`)
      assert.deepStrictEqual(agents, ["/named theirs", `/plain ${userAgent}`, `/hook ${userAgent}`])
    })
  )

  it.live(
    "race over three proxies: the one that is well wins, the slow one is hung up on, the dead one costs nothing",
    () =>
      Effect.gen(function* () {
        const target = yield* OtherDam.target((_, response) => void response.end("fine"))
        const well = yield* ConnectProxy.make({ to: target.port })
        const slow = yield* ConnectProxy.make("hang")
        const dead = yield* ConnectProxy.make({ status: 502 })
        const dam = yield* OtherDam.running({
          regions: { lax: { proxy: slow.url }, ord: { proxy: dead.url }, iad: { proxy: well.url } }
        })
        // the one that is well begins last
        const job = yield* run(dam, Step.get(target.url).pipe(Step.regions(["lax", "ord", "iad"])))
        assert.strictEqual(job.result?.region, "iad")
        assert.include(lines(job), "0 start@iad 200")
        assert.include(lines(job), "0 start@lax interrupted")
        assert.deepStrictEqual(
          [well, slow, dead].map(({ asked }) => asked[0]),
          Array(3).fill(`127.0.0.1:${target.port}`)
        )
        assert.lengthOf(target.calls, 1)
      })
  )

  it.live("are one place where they are one way: equal proxies, equal dams, and names nobody configured", () =>
    Effect.gen(function* () {
      const proxy = "http://ann:pw@127.0.0.1:3128"
      const regions: Record<string, RegionOptions> = {
        a: { proxy },
        b: { proxy: Redacted.make("http://ann:pw@127.0.0.1:3128/") },
        c: { proxy: "http://bob:pw@127.0.0.1:3128" },
        d: { dam: "https://dam.example.com", apiKey: key },
        e: { dam: "https://dam.example.com:443/", apiKey: "any-key" },
        f: { dam: "https://dam.example.com", apiKey: "other" },
        g: "direct"
      }
      const { transport, webhooks } = yield* Regions.make({ regions, egress: EgressPolicy.open })
      for (const { egress } of [transport, webhooks]) {
        const places = Object.keys(regions).map((region) => egress?.(region))
        assert.deepStrictEqual(places, ["a", "a", "c", "d", "d", "f", transport.home])
        assert.strictEqual(egress?.("nobody"), transport.home)
      }
    }).pipe(Effect.provideService(Dns.Dns, Dns.make({ lookup: () => Effect.never })))
  )

  it.effect("end their calls by themselves, unless one is another dam", () =>
    Effect.gen(function* () {
      const kept = (regions: Readonly<Record<string, RegionOptions>>) =>
        Effect.map(Regions.make({ regions, egress: EgressPolicy.open }), ({ transport }) =>
          TimeLimit.isKeptBy(transport)
        )
      assert.isTrue(yield* kept({}))
      assert.isTrue(yield* kept({ a: { proxy: "http://127.0.0.1:3128" }, b: "direct" }))
      assert.isFalse(yield* kept({ a: { dam: "https://dam.example.com", apiKey: key } }))
    }).pipe(Effect.provideService(Dns.Dns, Dns.make({ lookup: () => Effect.never })))
  )

  it.live("carry webhooks, in the order they are named", () =>
    Effect.gen(function* () {
      const target = yield* OtherDam.target((_, response) => void response.end())
      const receiver = yield* OtherDam.target((_, response) => void response.writeHead(204).end())
      const dead = yield* ConnectProxy.make({ status: 502 })
      const well = yield* ConnectProxy.make({ to: receiver.port })
      const there = yield* OtherDam.listening()
      const dam = yield* OtherDam.running({
        deliveries: {
          ...Schedule.defaults,
          schedule: [0, 1, 1].map(Duration.millis),
          timeoutMillis: 5000,
          concurrency: 9
        },
        regions: { ord: { proxy: dead.url }, iad: { proxy: well.url }, lax: { dam: there.url, apiKey: key } }
      })
      const hook = (regions: ReadonlyArray<string>) =>
        Step.webhooks([{ url: `${receiver.url}/${regions.join("-")}`, regions }])
      yield* run(dam, Step.get(`${target.url}/1`).pipe(hook(["ord", "iad"])))
      yield* receiver.called(1)
      assert.deepStrictEqual([dead.asked.length, well.asked.length], [1, 1])
      yield* run(dam, Step.get(`${target.url}/2`).pipe(hook(["lax"])))
      yield* receiver.called(2)
      assert.deepStrictEqual(
        receiver.calls.map(({ path }) => path),
        ["/ord-iad", "/lax"]
      )
      const [relayed] = yield* there.jobs
      assert.include(relayed?.step.request.url, "/lax")
    })
  )

  it.live("lead webhooks on where a 307 or 308 says so, if that is configured", () =>
    Effect.gen(function* () {
      const receiver = yield* OtherDam.target(({ path }, response) =>
        path === "/old" ? void response.writeHead(308, { location: "/new" }).end() : void response.end()
      )
      for (const [webhookRedirects, paths] of [
        [false, ["/old"]],
        [true, ["/old", "/new"]]
      ] as const) {
        const dam = yield* OtherDam.running({ webhookRedirects })
        const before = receiver.calls.length
        yield* dam.regions.webhooks.send({
          request: { method: "POST", url: `${receiver.url}/old`, headers: {}, body: "told" },
          region: undefined,
          step: Step.post(receiver.url),
          timeoutMillis: 5000
        })
        const seen = receiver.calls.slice(before)
        assert.deepStrictEqual(
          seen.map(({ body, method, path }) => [method, path, body.toString()]),
          paths.map((path) => ["POST", path, "told"])
        )
      }
    })
  )

  it.live("are told by name and kind, with those that nobody configured, and without what is secret", () =>
    Effect.gen(function* () {
      const target = yield* OtherDam.target((_, response) => void response.end())
      const dam = yield* OtherDam.running({
        regions: {
          iad: { proxy: "http://ann:s3cret@127.0.0.1:9" },
          lax: { dam: "http://127.0.0.1:9", apiKey: key },
          sea: "direct"
        }
      })
      assert.deepStrictEqual(dam.regions.unconfigured(), [])
      yield* run(dam, Step.get(target.url).pipe(Step.regions(["fra", "ams", "sea"])))
      assert.deepStrictEqual(dam.regions.configured, { iad: "proxy", lax: "dam", sea: "direct" })
      assert.sameMembers([...dam.regions.unconfigured()], ["fra", "ams"])
      // one call left, whatever it is called
      assert.lengthOf(target.calls, 1)
      for (let nth = 0; nth < 100; nth++) dam.regions.transport.egress?.(`${nth}-${"x".repeat(1000)}`)
      assert.lengthOf(dam.regions.unconfigured(), 32)
      assert.isTrue(dam.regions.unconfigured().every((name) => name.length <= 64))
      assert.notInclude(JSON.stringify(dam.regions), "s3cret")
    })
  )

  const wrong: ReadonlyArray<readonly [string, RegionOptions, string]> = [
    ["a proxy without a scheme", { proxy: "ann:s3cret@proxy.corp:3128" }, "expected a proxy as http://host:port"],
    ["a proxy that speaks TLS", { proxy: "https://ann:s3cret@proxy.corp" }, "expected a proxy as http://host:port"],
    ["a proxy with a path", { proxy: "http://proxy.corp/s3cret" }, "expected a proxy as http://host:port"],
    [
      "a dam with credentials",
      { dam: "https://ann:s3cret@dam.corp", apiKey: key },
      "expected the origin of another dam"
    ],
    ["a dam with an empty key", { dam: "https://dam.corp", apiKey: "" }, "expected an API key"]
  ]
  for (const [what, region, problem] of wrong) {
    it.live(`cannot be ${what}, and the refusal holds no secret`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Dam.make({ path: ":memory:", regions: { iad: region } }))
        assert.deepInclude(error, { _tag: "InvalidRegion", region: "iad" })
        assert.include(error.message, problem)
        assert.notInclude(error.message, "s3cret")
        assert.throws(() => Dam.embedded({ path: ":memory:", regions: { iad: region } }), problem)
      })
    )
  }
})
