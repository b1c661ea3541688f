import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { ConnectionFailed, ResponseTooLarge, TransportError } from "../../src/step/Failure.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import { type Exchange, type Exchanging, HttpTransport } from "../../src/transport/HttpTransport.ts"
import * as LocalTransport from "../../src/transport/LocalTransport.ts"
import * as RegionalTransport from "../../src/transport/RegionalTransport.ts"
import * as TimeLimit from "../../src/transport/TimeLimit.ts"
import * as UndiciTransport from "../../src/transport/UndiciTransport.ts"
import * as Upstream from "../conformance/upstream.ts"

const step = Step.get("https://api.example.com/users?page=2")

const exchange = (region: string | undefined): Exchange => ({
  request: step.request,
  region,
  step,
  timeoutMillis: 30_000
})

const over = (send: Exchanging["send"]): Exchanging => ({ kind: "exchanging", regions: Effect.succeed([]), send })

/** Answers with its name and the URL it was asked for. */
const named = (name: string) => over(({ request }) => Effect.succeed(Reply.response(200, {}, `${name} ${request.url}`)))

const failing = (reason: TransportError["reason"]) => over(() => Effect.fail(new TransportError({ reason })))

const refused = failing(new ConnectionFailed({ kind: "refused", detail: "nobody there" }))

const asked = (transport: Exchanging, region: string | undefined) =>
  Effect.map(transport.send(exchange(region)), Reply.text)

describe("a region", () => {
  it.effect("leaves through the transport it was given", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({ iad: named("east"), lax: named("west") })
      assert.strictEqual(yield* asked(transport, "iad"), "east https://api.example.com/users?page=2")
      assert.strictEqual(yield* asked(transport, "lax"), "west https://api.example.com/users?page=2")
    })
  )

  it.effect("ends its calls by itself where all places do, those at a base URL too", () =>
    Effect.gen(function* () {
      const keeping = LocalTransport.makeFetch()
      const places = { iad: { baseUrl: "https://iad.example.net" }, lax: keeping }
      assert.isTrue(TimeLimit.isKeptBy(yield* RegionalTransport.make(places)))
      assert.isTrue(TimeLimit.isKeptBy(yield* RegionalTransport.make(places, { default: keeping })))
      assert.isFalse(TimeLimit.isKeptBy(yield* RegionalTransport.make(places, { over: named("over") })))
      assert.isFalse(TimeLimit.isKeptBy(yield* RegionalTransport.make(places, { default: named("default") })))
      assert.isFalse(TimeLimit.isKeptBy(yield* RegionalTransport.make({})))
    })
  )

  const bases = {
    "https://iad.example.net": "https://iad.example.net/users?page=2",
    "https://iad.example.net/": "https://iad.example.net/users?page=2",
    "http://iad.example.net:8080/eu/": "http://iad.example.net:8080/eu/users?page=2"
  }
  for (const [baseUrl, url] of Object.entries(bases)) {
    it.effect(`asks at ${url} when its base is ${baseUrl}`, () =>
      Effect.gen(function* () {
        const transport = yield* RegionalTransport.make({ iad: { baseUrl } }, { over: named("over") })
        assert.strictEqual(yield* asked(transport, "iad"), `over ${url}`)
      })
    )
  }

  for (const baseUrl of [
    "iad.example.net",
    "ftp://x",
    "https://u:secret@x",
    "https://x/?token=secret",
    "https://x/#a"
  ]) {
    it.effect(`cannot have the base ${baseUrl}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(RegionalTransport.make({ iad: { baseUrl } }))
        assert.strictEqual(error.region, "iad")
        assert.notInclude(error.message, "secret")
      })
    )
  }

  it.effect("that nobody configured is refused with those that are", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({ iad: named("east"), lax: named("west") })
      const { reason } = yield* Effect.flip(transport.send(exchange("ord")))
      assert.strictEqual(reason._tag, "Unsendable")
      assert.include(reason.message, "no transport for region ord; the configured regions are iad, lax")
    })
  )

  it.effect("that nobody configured takes the default where there is one", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({ iad: named("east") }, { default: named("elsewhere") })
      assert.match(yield* asked(transport, "ord"), /^elsewhere /)
      assert.match(yield* asked(transport, undefined), /^elsewhere /)
      assert.match(yield* asked(transport, "iad"), /^east /)
    })
  )

  it.effect("that is at the default's own place is the same place as what nobody configured", () =>
    Effect.gen(function* () {
      const here = named("here")
      const transport = yield* RegionalTransport.make({ dc: here, iad: named("east") }, { default: here })
      assert.strictEqual(transport.egress?.("dc"), transport.egress?.("ord"))
      assert.strictEqual(transport.egress?.("dc"), transport.home)
      assert.notStrictEqual(transport.egress?.("iad"), transport.home)
      assert.isUndefined((yield* RegionalTransport.make({ iad: here })).home)
    })
  )

  it.effect("that is not named is the first healthy one", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({ iad: refused, lax: named("west") })
      yield* Effect.flip(transport.send(exchange(undefined)))
      assert.match(yield* asked(transport, undefined), /^west /)
    })
  )

  it.effect("is needed", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({})
      const { reason } = yield* Effect.flip(transport.send(exchange(undefined)))
      assert.include(reason.message, "no region is configured")
    })
  )

  it.effect("shares its egress with regions at the same place", () =>
    Effect.gen(function* () {
      const east = named("east")
      const transport = yield* RegionalTransport.make({
        iad: east,
        bos: east,
        lax: named("west"),
        fra: { baseUrl: "https://eu.example.net" },
        ams: { baseUrl: "https://eu.example.net/" }
      })
      const egresses = ["iad", "bos", "lax", "fra", "ams"].map((region) => transport.egress?.(region))
      assert.deepStrictEqual(egresses, ["iad", "iad", "lax", "fra", "fra"])
      assert.strictEqual(transport.egress?.("ord"), transport.egress?.("hkg"))
    })
  )

  it.effect("is provided by the layer", () =>
    Effect.gen(function* () {
      const transport = yield* HttpTransport
      assert(transport.kind === "exchanging")
      assert.deepStrictEqual(yield* transport.regions, ["iad"])
    }).pipe(Effect.provide(RegionalTransport.layer({ iad: named("east") })))
  )
})

describe("the order of regions", () => {
  it.effect("is the configured one while all is well", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({ iad: named("a"), lax: named("b"), ord: named("c") })
      yield* asked(transport, "lax")
      assert.deepStrictEqual(yield* transport.regions, ["iad", "lax", "ord"])
    })
  )

  it.effect("puts a region that gave no answer last, for ten seconds", () =>
    Effect.gen(function* () {
      const transport = yield* RegionalTransport.make({ iad: refused, lax: named("b") })
      yield* Effect.flip(transport.send(exchange("iad")))
      assert.deepStrictEqual(yield* transport.regions, ["lax", "iad"])
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(yield* transport.regions, ["lax", "iad"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* transport.regions, ["iad", "lax"])
    })
  )

  it.effect("forgives a region as soon as it answers", () =>
    Effect.gen(function* () {
      let isUp = false
      const flaky = over((exchange) => (isUp ? named("up") : refused).send(exchange))
      const transport = yield* RegionalTransport.make({ iad: flaky, lax: named("b") })
      yield* Effect.flip(transport.send(exchange("iad")))
      assert.deepStrictEqual(yield* transport.regions, ["lax", "iad"])
      isUp = true
      yield* asked(transport, "iad")
      assert.deepStrictEqual(yield* transport.regions, ["iad", "lax"])
    })
  )

  it.live("can be a layer of its own, such as a proxy, built once and released with the rest", () =>
    Effect.gen(function* () {
      const { origin } = yield* Upstream.http(({ path }, response) => response.end(path))
      const layer = RegionalTransport.layer({
        iad: Layer.effect(HttpTransport, UndiciTransport.proxied(origin)),
        lax: named("b")
      })
      yield* Effect.gen(function* () {
        const transport = yield* HttpTransport
        assert(transport.kind === "exchanging")
        assert.deepStrictEqual(yield* transport.regions, ["iad", "lax"])
        const viaProxy = yield* transport.send({
          ...exchange("iad"),
          request: Step.get("http://target.invalid/x").request
        })
        assert.strictEqual(Reply.text(viaProxy), "http://target.invalid/x")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("cannot be a service, which takes whole steps", () =>
    Effect.gen(function* () {
      const service = Layer.succeed(HttpTransport, { kind: "delegating", submit: () => Effect.die("not called") })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(RegionalTransport.layer({ iad: service }))))
      assert.strictEqual(error._tag, "InvalidRegion")
      assert.include(error.message, "iad")
    })
  )

  it.effect("blames nobody for an answer that is too large", () =>
    Effect.gen(function* () {
      const large = failing(new ResponseTooLarge({ status: 200, limitBytes: 1 }))
      const transport = yield* RegionalTransport.make({ iad: large, lax: named("b") })
      yield* Effect.flip(transport.send(exchange("iad")))
      assert.deepStrictEqual(yield* transport.regions, ["iad", "lax"])
    })
  )

  const hanging = Effect.fnUntraced(function* (millis: number) {
    const started = yield* Deferred.make<void>()
    const silent = over(() => Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
    const transport = yield* RegionalTransport.make({ iad: silent, lax: named("b") })
    const fiber = yield* Effect.forkChild(transport.send(exchange("iad")))
    yield* Deferred.await(started)
    yield* TestClock.adjust(millis)
    yield* Fiber.interrupt(fiber)
    return yield* transport.regions
  })

  it.effect("blames a region that was silent for the whole attempt", () =>
    Effect.map(hanging(30_000), (regions) => assert.deepStrictEqual(regions, ["lax", "iad"]))
  )

  it.effect("does not blame the loser of a race", () =>
    Effect.map(hanging(29_999), (regions) => assert.deepStrictEqual(regions, ["iad", "lax"]))
  )
})
