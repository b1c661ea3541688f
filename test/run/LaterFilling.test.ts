import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { vi } from "vitest"
import { filling } from "../../src/run/LaterFilling.ts"
import { DeadlineExceeded, stepError } from "../../src/step/Outcome.ts"
import * as Step from "../../src/step/Step.ts"

const child = Step.post("https://b.example/{id}").pipe(Step.fill({ path: { id: Step.from("/metadata/id") } }))

describe("filling", () => {
  it.effect("is refused with its place where it cannot be loaded, and asked for again by the next", () =>
    Effect.gen(function* () {
      const parent = stepError(Step.get("https://a.example/"), new DeadlineExceeded({ afterMillis: 1 }), [])
      vi.doMock("../../src/engine/Filling.ts", () => Promise.reject(new Error("offline")))
      const refused = (yield* filling(parent, { id: "7" }))(child)
      assert.isTrue(Result.isFailure(refused) && refused.failure.kind === "refused")
      assert.isTrue(Result.isFailure(refused) && refused.failure.from === "/metadata/id")
      vi.doUnmock("../../src/engine/Filling.ts")
      const filled = (yield* filling(parent, { id: "7" }))(child)
      assert.isTrue(Result.isSuccess(filled) && filled.success.request.url === "https://b.example/7")
    })
  )
})
