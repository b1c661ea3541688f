import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { Service } from "../../src/run/Service.ts"
import { interpreting } from "../../src/run/LaterInterpreter.ts"
import * as Step from "../../src/step/Step.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import * as FetchTransport from "../../src/transport/FetchTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"

/** A `fetch` that answers so, in turn. */
const answering = (...statuses: ReadonlyArray<number>) => {
  let calls = 0
  const fetch = () => Promise.resolve(new Response("x", { status: statuses[calls++] ?? 200 }))
  return FetchTransport.makeFetch({ fetch })
}

const step = Step.get("https://a.example/").pipe(Step.frugal(), Step.retryPolicy({ maxRetries: 1, base: 1 }))

describe("LaterInterpreter", () => {
  it.live("needs nothing more for a call that succeeds, and fails as a call does where no more can be had", () =>
    Effect.gen(function* () {
      const service = yield* Service
      const over = (...statuses: ReadonlyArray<number>) => Strategies.client(answering(...statuses), service.transport)
      vi.doMock("../../src/run/Interpreter.ts", () => Promise.reject(new Error("offline")))
      const plain = yield* interpreting.run(step, over(200))
      assert.isTrue(plain._tag === "Completed" && plain.response.status === 200)
      const cut = yield* Effect.flip(interpreting.run(step, over(503, 200)))
      assert.isTrue(cut.reason._tag === "ConnectionFailed" && cut.reason.kind === "other")
      assert.lengthOf(cut.history, 1)
      const unsent = yield* Effect.flip(interpreting.submit(step, service.transport))
      assert.strictEqual(unsent.reason._tag, "ConnectionFailed")
      // what breaks a rule is refused in the words it is refused in anyway
      const drawing = Step.limit(step, "tokens")
      assert.strictEqual((yield* Effect.flip(interpreting.run(drawing, over(200)))).reason._tag, "LimitsNotKept")
      vi.doUnmock("../../src/run/Interpreter.ts")
      const again = yield* interpreting.run(step, over(503, 200))
      assert.deepStrictEqual(
        again.history.map(({ kind }) => kind),
        ["start", "retry"]
      )
      assert.strictEqual((yield* interpreting.submit(step, service.transport))._tag, "Accepted")
    }).pipe(Effect.provide(FakeService.layer))
  )
})
