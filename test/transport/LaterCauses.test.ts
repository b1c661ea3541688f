import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import * as LaterCauses from "../../src/transport/LaterCauses.ts"

const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" })

describe("LaterCauses", () => {
  it.effect("tells no more than that it failed where the reasons cannot be loaded, and asks for them again", () =>
    Effect.gen(function* () {
      vi.doMock("../../src/transport/Causes.ts", () => Promise.reject(new Error("offline")))
      const unknown = yield* Effect.flip(LaterCauses.fail(refused))
      assert.isTrue(unknown._tag === "ConnectionFailed" && unknown.kind === "other")
      vi.doUnmock("../../src/transport/Causes.ts")
      const known = yield* Effect.flip(LaterCauses.fail(refused))
      assert.isTrue(known._tag === "ConnectionFailed" && known.kind === "refused")
      let told: string | undefined
      LaterCauses.failureOf(refused, ({ _tag }) => (told = _tag))
      assert.strictEqual(told, "ConnectionFailed")
    })
  )
})
