/** Secrets of a program: what its own calls get, where they may go, and steps that name what nobody keeps. */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Client from "../../src/run/Client.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import type { StepError } from "../../src/step/Outcome.ts"
import { response } from "../../src/step/Reply.ts"
import type { Request } from "../../src/step/Request.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import * as Redirects from "../../src/transport/Redirects.ts"
import { client, ending, failed } from "./support.ts"

const named = (url: string) => Step.frugal(Step.get(url, { headers: { "x-key": Step.secret("shop") } }))

/** A client over calls that are noted down; `/moved` leads to another host. */
const world = (secrets: NonNullable<Client.ClientOptions["secrets"]>) => {
  const sent: Array<Request> = []
  const transport = Redirects.exchanging((request) =>
    Effect.sync(() => {
      sent.push(request)
      return request.url.endsWith("/moved") ? response(302, { location: "https://elsewhere.example/" }) : response(200)
    })
  )
  const layer = Client.layer({ transport, secrets, dam: "http://localhost:1" })
  return { sent, run: (step: Step.Step) => ending(Effect.provide(EZThrottle.execute(step), Layer.orDie(layer))) }
}

const secrets = { shop: { value: Redacted.make("s3cret"), hosts: ["shop.example"] } }

const kindOf = (end: unknown) => failed(end as StepError, "SecretRefused").reason.kind // fails where it is none

describe("secrets of a program", () => {
  it.effect("are sent with the calls that name them, to their hosts", () =>
    Effect.gen(function* () {
      const { run, sent } = world(secrets)
      assert.strictEqual((yield* run(named("https://shop.example/")))._tag, "Completed")
      assert.deepStrictEqual(sent[0]?.headers, { "x-key": "s3cret" })
    })
  )

  it.effect("are sent nowhere else, a redirect included", () =>
    Effect.gen(function* () {
      const { run, sent } = world(secrets)
      for (const url of ["https://other.example/", "http://shop.example/", "https://shop.example:8443/"]) {
        assert.strictEqual(kindOf(yield* run(named(url))), "elsewhere")
      }
      assert.deepStrictEqual(sent, [])
      assert.strictEqual(kindOf(yield* run(named("https://shop.example/moved"))), "elsewhere")
      assert.deepStrictEqual(
        sent.map(({ url }) => url),
        ["https://shop.example/moved"]
      )
    })
  )

  it.effect("are found when the client is made, where they are left to its settings", () =>
    Effect.gen(function* () {
      const { run, sent } = world({
        shop: { value: Effect.orDie(Config.Redacted("SHOP_KEY")), hosts: ["shop.example"] }
      })
      const provider = ConfigProvider.fromUnknown({ SHOP_KEY: "from settings" })
      yield* Effect.provideService(run(named("https://shop.example/")), ConfigProvider.ConfigProvider, provider)
      assert.deepStrictEqual(sent[0]?.headers, { "x-key": "from settings" })
    })
  )

  it.effect("of another name are unknown, and a program without any refuses the step by name", () =>
    Effect.gen(function* () {
      assert.strictEqual(kindOf(yield* world({}).run(named("https://shop.example/"))), "unknown")
      const { execute, sent } = yield* client(Script.always({ status: 200 }))
      for (const step of [
        named("https://shop.example/"),
        Step.frugal(Step.fallback(Step.get("https://a.example/"), named("https://shop.example/")))
      ]) {
        const { message, reason } = failed(yield* execute(step), "SecretRefused")
        assert.deepInclude(reason, { secret: "shop", kind: "unkept" })
        assert.match(message, /the secret shop is not sent: this program keeps no secrets/)
      }
      assert.deepStrictEqual(yield* sent, [])
    })
  )

  it.effect("that cannot be are a fault of the program", () =>
    Effect.gen(function* () {
      for (const [wrong, said] of [
        [{ shop: { value: "a", hosts: [] } }, /secrets\.shop\.hosts: Expected a host/],
        [{ shop: { value: "a", hosts: ["a.example/path"] } }, /secrets\.shop\.hosts/],
        [{ "a b": { value: "a", hosts: ["a.example"] } }, /secrets\.a b/],
        [{ shop: { value: "s3cret\n", hosts: ["a.example"] } }, /secrets\.shop\.value/]
      ] as const) {
        const exit = yield* Effect.exit(world(wrong).run(named("https://shop.example/")))
        assert.match(String(exit), said)
        assert.notInclude(String(exit), "s3cret")
      }
    })
  )
})
