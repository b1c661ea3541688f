import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Secrets from "../../../src/dam/secrets/Secrets.ts"
import * as Double from "../http/HttpDouble.ts"

const kept = "k".repeat(16)
const other = "o".repeat(1024)

interface Given {
  readonly primary: string
  readonly secondary?: string
  readonly rotate?: boolean
}

/** Hands secrets to a dam over HTTP and in process; tells what is wrong with them, or nothing. */
const both = Effect.fnUntraced(function* ({ primary, rotate, secondary }: Given) {
  const dam = yield* Double.make()
  const overHttp = (body: object) =>
    Effect.promise(async () => {
      const answer = await fetch(`${dam.url}/api/v1/webhook-secrets`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" }
      })
      const { code, error = "", field } = JSON.parse(await answer.text())
      return { status: answer.status, code, field, told: String(error) }
    })
  const inProcess = Secrets.make(dam.store, "in process")
  yield* overHttp({ primary_secret: kept })
  yield* inProcess.create(Redacted.make(kept))
  const second = secondary === undefined ? undefined : Redacted.make(secondary)
  const told = yield* Effect.match(
    rotate === true ? inProcess.rotate(Redacted.make(primary)) : inProcess.create(Redacted.make(primary), second),
    { onFailure: ({ reason }) => `${reason._tag} ${reason.message}`, onSuccess: () => "" }
  )
  return { http: yield* overHttp({ primary_secret: primary, secondary_secret: secondary, rotate }), inProcess: told }
})

describe("the rules of webhook secrets", () => {
  for (const [what, given, which, problem] of [
    ["15 characters", { primary: "s".repeat(15) }, "primary", "Expected 16 to 1024 characters"],
    ["5,000 characters", { primary: "s".repeat(5000) }, "primary", "Expected 16 to 1024 characters"],
    ["a long secondary", { primary: kept, secondary: "s".repeat(1025) }, "secondary", "Expected 16 to 1024 characters"],
    ["the same twice", { primary: kept, secondary: kept }, "secondary", "is the primary one; two secrets must differ"],
    [
      "rotating to the current one",
      { primary: kept, rotate: true },
      "primary",
      "is the current one; rotate to another"
    ],
    ["rotating to a long one", { primary: "s".repeat(1025), rotate: true }, "primary", "Expected 16 to 1024 characters"]
  ] as const) {
    it.live(`refuse ${what} alike over HTTP and in process`, () =>
      Effect.gen(function* () {
        const { http, inProcess } = yield* both(given)
        assert.deepStrictEqual([http.status, http.code, http.field], [400, "weak_secret", `${which}_secret`])
        assert.strictEqual(http.told, `${which}_secret: ${problem}`)
        assert.strictEqual(inProcess, `WeakSecret ${which}Secret: ${problem}`)
      })
    )
  }

  it.live("let 16 and 1,024 characters pass on both ways", () =>
    Effect.gen(function* () {
      const { http, inProcess } = yield* both({ primary: kept, secondary: other })
      assert.deepStrictEqual([http.status, inProcess], [200, ""])
    })
  )
})
