import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Support from "../support.ts"

describe("who is called", () => {
  it.effect("is the dam that EZTHROTTLE_DAM_URL names, before the other variables", () =>
    Effect.gen(function* () {
      const { err } = yield* Support.run(["jobs", "list"], {
        EZTHROTTLE_DAM_URL: "http://127.0.0.1:3",
        EZTHROTTLE_URL: "https://service.example",
        EZTHROTTLE_TRACKTAGS_URL: "https://proxy.example"
      })
      assert.include(err, "nothing listens at http://127.0.0.1:3 (EZTHROTTLE_DAM_URL); start a dam")
    })
  )
})
