import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as TestClock from "effect/testing/TestClock"
import * as EgressDoor from "../../../src/dam/egress/Door.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"

const url = "https://api.example.com/"

const doorOver = (lookup: () => Effect.Effect<string, Dns.DnsError>) => {
  let asked = 0
  const dns = Dns.make({
    lookup: () =>
      Effect.map(
        Effect.suspend(() => (asked++, lookup())),
        (text) => [NetAddress.ipFromStringUnsafe(text)]
      )
  })
  return Effect.map(Effect.provideService(EgressDoor.make(EgressPolicy.publicOnly), Dns.Dns, dns), (door) => ({
    ...door,
    asked: () => asked
  }))
}

describe("the egress door", () => {
  it.effect("asks about a name once in five seconds, whatever the URLs", () =>
    Effect.gen(function* () {
      const door = yield* doorOver(() => Effect.succeed("1.1.1.1"))
      yield* door.admit(url)
      yield* TestClock.adjust("4999 millis")
      yield* door.admit("http://API.example.com.:8080/v2")
      assert.strictEqual(door.asked(), 1)
      yield* TestClock.adjust("1 millis")
      yield* door.admit(url)
      assert.strictEqual(door.asked(), 2)
    })
  )

  it.effect("judges every URL by itself, also under a name it remembers", () =>
    Effect.gen(function* () {
      const door = yield* doorOver(() => Effect.succeed("1.1.1.1"))
      yield* door.admit(url)
      assert.propertyVal(yield* Effect.flip(door.admit("https://api.example.com:22/")), "reason", "PortNotAllowed")
    })
  )

  it.effect("remembers a failure for a second only", () =>
    Effect.gen(function* () {
      const door = yield* doorOver(() =>
        Effect.fail(new Dns.DnsError({ reason: "NotFound", method: "lookup", hostname: "api.example.com" }))
      )
      for (let call = 0; call < 3; call++) {
        assert.propertyVal(yield* Effect.flip(door.admit(url)), "reason", "NameNotResolved")
      }
      assert.strictEqual(door.asked(), 1)
      yield* TestClock.adjust("1 second")
      yield* Effect.flip(door.admit(url))
      assert.strictEqual(door.asked(), 2)
    })
  )

  it.effect("a caller who leaves takes nobody's answer along", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<string>()
      const door = yield* doorOver(() => Deferred.await(answer))
      const first = yield* Effect.forkChild(door.admit(url), { startImmediately: true })
      const second = yield* Effect.forkChild(door.admit(url), { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(answer, "1.1.1.1")
      assert.strictEqual((yield* Fiber.join(second)).url, url)
      assert.strictEqual(door.asked(), 1)
    })
  )
})
