import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import { readFileSync } from "node:fs"
import { request } from "undici"
import { dispatcher } from "../../../src/dam/egress/Connector.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import { admit } from "../../../src/dam/egress/Resolver.ts"
import { watchSockets } from "./EgressSockets.ts"

interface Cases {
  readonly resolver: Readonly<Record<string, ReadonlyArray<string>>>
  readonly cases: ReadonlyArray<{
    readonly url: string
    readonly expected: "allow" | "deny"
    readonly reason: string | null
  }>
}

const { cases, resolver }: Cases = JSON.parse(
  readFileSync(new URL("../../fixtures/egress-urls.json", import.meta.url), "utf8")
)
const denied = cases.filter(({ expected }) => expected === "deny")
const allowed = cases.filter(({ expected }) => expected === "allow")
const dns = Dns.layerStatic({ hosts: resolver })

/** Calls with no door before it: all that stands between the URL and the network is the connector. */
const call = (policy: EgressPolicy.EgressPolicy, url: string) =>
  Effect.gen(function* () {
    const agent = yield* dispatcher(policy)
    return yield* Effect.exit(Effect.tryPromise(() => request(url, { dispatcher: agent })))
  })

describe("the published egress cases", () => {
  it("are there", () => {
    assert.isNotEmpty(denied)
    assert.isNotEmpty(allowed)
  })

  it.effect.each(denied)("$url is refused at the door: $reason", ({ url, reason }) =>
    Effect.gen(function* () {
      const refusal = yield* Effect.flip(admit(EgressPolicy.publicOnly, url))
      assert.strictEqual(refusal._tag === "UrlDenied" ? refusal.reason : refusal.message, reason)
    }).pipe(Effect.provide(dns))
  )

  it.effect.each(allowed)("$url passes the door", ({ url }) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* admit(EgressPolicy.publicOnly, url)).url, URL.parse(url)?.href)
    }).pipe(Effect.provide(dns))
  )

  it.live("reach no loopback and no special address when nothing but the connector is left", () =>
    Effect.gen(function* () {
      const { openings, reached } = yield* watchSockets
      for (const { url } of denied) yield* call(EgressPolicy.publicOnly, url)
      assert.strictEqual(reached(), 0)
      // what the door refuses for how it is written may lead to places that are allowed
      assert.deepStrictEqual([...new Set(openings.flatMap(({ addresses }) => addresses))].toSorted(), [
        "2.2.2.2",
        "8.8.8.8",
        "93.184.215.14"
      ])
    }).pipe(Effect.scoped, Effect.provide(dns))
  )

  it.live("would reach the sentinel under a policy that is open", () =>
    Effect.gen(function* () {
      const { reached } = yield* watchSockets
      for (const url of ["http://127.0.0.1/", "http://[::1]/", "http://loop.example.com/"]) {
        const before = reached()
        assert.isTrue((yield* call(EgressPolicy.open, url))._tag === "Success", url)
        assert.strictEqual(reached(), before + 1, url)
      }
    }).pipe(Effect.scoped, Effect.provide(dns))
  )

  it.live.each(allowed)("$url is connected to the addresses that were judged, and to no other", ({ url }) =>
    Effect.gen(function* () {
      const { openings } = yield* watchSockets
      yield* call(EgressPolicy.publicOnly, url)
      const host = new URL(url).hostname
      assert.deepStrictEqual(
        openings.map(({ addresses }) => addresses),
        [resolver[host] ?? [host]]
      )
    }).pipe(Effect.scoped, Effect.provide(dns))
  )
})
