import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as TestClock from "effect/testing/TestClock"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import { admit, LOOKUP_LIMIT, MAX_ADDRESSES, resolve } from "../../../src/dam/egress/Resolver.ts"
import { checkUrl } from "../../../src/dam/egress/Url.ts"

const url = "https://api.example.com/"

const answering = (lookup: (host: string) => Effect.Effect<ReadonlyArray<string>, Dns.DnsError>) =>
  Effect.provideService(
    Dns.Dns,
    Dns.make({ lookup: (host) => Effect.map(lookup(host), (found) => found.map(NetAddress.ipFromStringUnsafe)) })
  )

const publicAddresses = (count: number) => Array.from({ length: count }, (_, index) => `93.184.216.${index}`)

describe("resolving under the egress policy", () => {
  it.effect("answers the addresses in the resolver's order", () =>
    Effect.gen(function* () {
      const checked = yield* Effect.fromResult(checkUrl(EgressPolicy.publicOnly, url))
      const addresses = yield* resolve(EgressPolicy.publicOnly, checked)
      assert.deepStrictEqual(addresses.map(NetAddress.formatIp), ["2606:4700::1", "1.1.1.1"])
    }).pipe(answering(() => Effect.succeed(["2606:4700::1", "1.1.1.1"])))
  )

  it.effect("asks nobody about an address", () =>
    Effect.gen(function* () {
      const checked = yield* Effect.fromResult(checkUrl(EgressPolicy.publicOnly, "http://8.8.8.8/"))
      assert.deepStrictEqual((yield* resolve(EgressPolicy.publicOnly, checked)).map(NetAddress.formatIp), ["8.8.8.8"])
    }).pipe(answering(() => Effect.die("asked")))
  )

  it.effect("asks nobody about a name that is refused anyway", () =>
    Effect.flip(admit(EgressPolicy.publicOnly, "http://metadata.google.internal/")).pipe(
      answering(() => Effect.die("asked"))
    )
  )

  it.effect.each([
    { count: MAX_ADDRESSES, verdict: "allow" },
    { count: MAX_ADDRESSES + 1, verdict: "TooManyAddresses" }
  ])("a name with $count addresses: $verdict", ({ count, verdict }) =>
    Effect.gen(function* () {
      const result = yield* admit(EgressPolicy.publicOnly, url).pipe(
        Effect.match({ onFailure: (refusal) => ("reason" in refusal ? refusal.reason : ""), onSuccess: () => "allow" })
      )
      assert.strictEqual(result, verdict)
    }).pipe(answering(() => Effect.succeed(publicAddresses(count))))
  )

  it.effect("tells a name that does not exist from a name server that does not answer", () =>
    Effect.gen(function* () {
      const refusal = (reason: Dns.DnsErrorReason) =>
        Effect.flip(admit(EgressPolicy.publicOnly, url)).pipe(
          answering((hostname) => Effect.fail(new Dns.DnsError({ reason, method: "lookup", hostname })))
        )
      assert.propertyVal(yield* refusal("NotFound"), "reason", "NameNotResolved")
      const failed = yield* refusal("Temporary")
      assert.strictEqual(
        failed.message,
        "the name server gave no answer about api.example.com (Temporary); try again later"
      )
    })
  )

  it.effect("gives a lookup five seconds, then ends it", () =>
    Effect.gen(function* () {
      assert.strictEqual(Duration.toMillis(LOOKUP_LIMIT), 5000)
      let ended = false
      const fiber = yield* Effect.flip(admit(EgressPolicy.publicOnly, url)).pipe(
        answering(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (ended = true)))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("4999 millis")
      assert.isFalse(ended)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "DnsFailed")
      assert.isTrue(ended)
    })
  )
})
