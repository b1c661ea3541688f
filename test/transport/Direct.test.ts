import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TestClock } from "effect/testing"
import { Dispatcher } from "undici"
import * as Step from "../../src/step/Step.ts"
import * as Direct from "../../src/transport/Direct.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as LocalTransport from "../../src/transport/LocalTransport.ts"
import * as UndiciTransport from "../../src/transport/UndiciTransport.ts"

const step = Step.get("http://target.test/")
const exchange = { request: step.request, region: undefined, step, timeoutMillis: 1000 }

/** Begins an exchange, and notes what is told of it. */
const begun = (transport: Exchanging) =>
  Effect.withFiber((fiber) => {
    const told: Array<string> = []
    const begin = Direct.of(transport)
    assert.isDefined(begin)
    const stop = begin?.(exchange, fiber, (result) => {
      const error = Exit.findError(result)
      told.push(error._tag === "Success" ? error.success.reason._tag : result._tag)
    })
    return Effect.succeed({ told, stop: () => stop?.() })
  })

/** Lets what the promises of the platform have settled go its way. */
const settled = Effect.promise(() => new Promise(setImmediate))

/** A `fetch` that ends when it is aborted. */
const hanging = LocalTransport.makeFetch({
  fetch: (_, { signal }) =>
    new Promise((_, refuse) => signal?.addEventListener("abort", () => refuse(new Error("aborted"))))
})

/** A dispatcher that answers when it is told to. */
class Answering extends Dispatcher {
  #handler: Dispatcher.DispatchHandler | undefined

  override dispatch(_: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#handler = handler
    return true
  }

  answer(): void {
    const controller: Dispatcher.DispatchController = {
      aborted: false,
      paused: false,
      reason: null,
      abort: () => undefined,
      pause: () => undefined,
      resume: () => undefined
    }
    this.#handler?.onResponseStart?.(controller, 204, {})
    this.#handler?.onResponseEnd?.(controller, {})
  }
}

const overUndici = Effect.gen(function* () {
  const dispatcher = new Answering()
  return { dispatcher, ...(yield* begun(yield* UndiciTransport.make({ dispatcher }))) }
})

describe("an exchange that is begun", () => {
  it.effect("over fetch is told once, though what expired is refused too", () =>
    Effect.gen(function* () {
      const { told } = yield* begun(hanging)
      yield* TestClock.adjust(1000)
      yield* settled
      assert.deepStrictEqual(told, ["AttemptTimedOut"])
    })
  )

  it.effect("over fetch is not told once it was stopped, though it is refused then", () =>
    Effect.gen(function* () {
      const { stop, told } = yield* begun(hanging)
      stop()
      yield* settled
      assert.deepStrictEqual(told, [])
    })
  )

  it.effect("over undici is told once, and not once it was stopped, though its answer was on the way", () =>
    Effect.gen(function* () {
      const answered = yield* overUndici
      answered.dispatcher.answer()
      yield* settled
      answered.dispatcher.answer()
      answered.stop()
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(answered.told, ["Success"])
      const stopped = yield* overUndici
      stopped.dispatcher.answer()
      stopped.stop()
      yield* settled
      assert.deepStrictEqual(stopped.told, [])
    }).pipe(Effect.scoped)
  )
})
