/** The page about moving over: its table against the facade, its old program over the facade. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Facade from "../../src/promise.ts"
import * as Support from "../cli/support.ts"
import * as Recipes from "./Recipes.ts"

const page = readFileSync(join(Recipes.root, "docs/guide/moving-over.md"), "utf8")

const words = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/)

/** What the official SDK exports, and the methods of its two classes. */
const official = [
  ...words(`
    EZThrottle Step StepType IdempotentStrategy executeWithForwarding withAutoForward
    EZThrottleError RateLimitError TimeoutError WebhookVerificationError
    verifyWebhookSignature verifyWebhookSignatureStrict tryVerifyWithSecrets`),
  ...words(`
    submitJob queueRequest queueAndWait request forwardOrFallback
    createWebhookSecret getWebhookSecret deleteWebhookSecret rotateWebhookSecret`).map((name) => `client.${name}`),
  ...words(`
    type url method headers body metadata webhooks webhookQuorum regions regionPolicy executionMode retryPolicy retryAt
    idempotentKey idempotentStrategy fallbackOnError timeout localTimeout fallback onSuccess onFailure onFailureTimeout
    execute`).map((name) => `step.${name}`)
]

const methodsOf = (name: string, prototype: object): ReadonlyArray<string> =>
  Object.getOwnPropertyNames(prototype)
    .filter((method) => !["constructor", "toString"].includes(method))
    .map((method) => `${name}.${method}`)

const offered = [
  ...Object.keys(Facade).filter((name) => name !== "default"),
  ...methodsOf("client", Facade.EZThrottle.prototype),
  ...methodsOf("step", Facade.Step.prototype)
]

const rows = (page.split("## Every export\n")[1] ?? "")
  .split("\n")
  .filter((row) => row.startsWith("| "))
  .slice(1)
  .map((row) => row.split("|").slice(1, 3))

const codesIn = (cell = ""): ReadonlyArray<string> => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = ""]) => name)

describe("moving over from the official SDK", () => {
  it("has a counterpart for every export, by the same name", () => {
    const left = rows.flatMap(([before]) => codesIn(before))
    assert.deepStrictEqual(left.toSorted(), official.toSorted())
    assert.deepStrictEqual(
      official.filter((name) => !offered.includes(name)),
      []
    )
    assert.strictEqual(Facade.default, Facade.EZThrottle)
  })

  it("names everything that is here, and nothing that is not", () => {
    const named = rows.flatMap(([before, after]) => codesIn(after?.trim() === "the same" ? before : after))
    assert.deepStrictEqual(named.toSorted(), offered.toSorted())
  })

  it.live("runs a program of the official SDK as it is", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const world = yield* Effect.acquireRelease(Effect.promise(Recipes.make), ({ close }) => Effect.promise(close))
      vi.stubEnv("EZTHROTTLE_API_KEY", "any")
      vi.stubEnv("EZTHROTTLE_TRACKTAGS_URL", dam.url)
      vi.stubEnv("EZTHROTTLE_URL", dam.url)
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      const [, program = ""] = /```js\n([^]*?)```/.exec(page) ?? []
      const module: { exports?: (order: unknown) => Promise<unknown> } = {}
      const required = (name: string) => (assert.strictEqual(name, "ezthrottle"), Facade)
      new Function("require", "module", world.placed(program))(required, module)
      const order = () => Effect.promise(async () => module.exports?.({ item: "tea" }))

      assert.deepStrictEqual(yield* order(), {
        status: "success",
        executed_locally: true,
        status_code: 201,
        response: "made /orders"
      })
      assert.deepStrictEqual(
        world.calls.map(({ path }) => path),
        ["/orders", "/audit"]
      )
      world.setDown(true)
      assert.deepInclude(yield* order(), { status: "queued" })
    })
  )
})
