/**
 * Faults on purpose: a share of the calls over any transport fails, is slowed down or gets another answer.
 *
 * Which calls those are is drawn from a seed, so the same calls in the same order meet the same faults. Pauses are the
 * clock's: under `TestClock` nothing waits.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { ConnectionFailed, TransportError } from "../step/Failure.ts"
import type { Response } from "../step/Reply.ts"
import type { Exchange, Exchanging } from "../transport/HttpTransport.ts"
import type { Answer, Input } from "./Answer.ts"
import { from, hang, refuse, start } from "./Answer.ts"

/**
 * What becomes of a share of the calls.
 *
 * **Details** — `Instead`: the target never sees the call, and this is the answer. `Lost`: the target sees the call, and
 * its answer is lost on the way. `Slow`: the answer comes later than it would.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = { readonly share: number } & (
  | { readonly _tag: "Instead"; readonly answer: Answer }
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Slow"; readonly by: Duration.Duration }
)

/**
 * Faults of one transport. A call meets one of them at most.
 *
 * @category models
 * @since 0.1.0
 */
export interface Faults {
  readonly faults: ReadonlyArray<Fault>
  /** Defaults to the `Random` in place. */
  readonly seed?: string | number | undefined
  /** Which calls may meet a fault; the others draw nothing. Defaults to every call. */
  readonly calls?: ((exchange: Exchange) => boolean) | undefined
}

/**
 * Gives a share of the calls another answer; the target never sees them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const instead = (share: number, answer: Input): Fault => ({ _tag: "Instead", share, answer: from(answer) })

/**
 * Refuses the connection of a share of the calls.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused = (share: number): Fault => instead(share, refuse)

/**
 * Never answers a share of the calls; a limit of the caller's ends them. The target never sees them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hung = (share: number): Fault => instead(share, hang)

/**
 * Breaks the connection of a share of the calls after the target has answered: what it did is done, and nobody is told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lost = (share: number): Fault => ({ _tag: "Lost", share })

/**
 * Makes the answers of a share of the calls come later.
 *
 * @category constructors
 * @since 0.1.0
 */
export const slow = (share: number, by: Duration.Input): Fault => ({
  _tag: "Slow",
  share,
  by: Duration.fromInputUnsafe(by)
})

/**
 * Puts faults before a transport.
 *
 * **When to use** — as the `transport` of a client, over the one that it would have: the program then shows how it takes
 * a bad day. In a test over scripted targets, `faults` of `Script.layer` and `createTestClient` do the same.
 * **Gotchas** — shares below 0, and shares that add up to more than 1, are a defect.
 *
 * @category combining
 * @since 0.1.0
 */
export const over = <E = never, R = never>(
  transport: Exchanging | Effect.Effect<Exchanging, E, R>,
  faults: Faults
): Effect.Effect<Exchanging, E, R> =>
  Effect.gen(function* () {
    const inner = Effect.isEffect(transport) ? yield* transport : transport
    const meet = yield* begin(faults)
    return { ...inner, send: (exchange) => meet(exchange, inner.send(exchange)) }
  })

/** Begins to draw; what comes back stands between a call and its sending. */
const begin = Effect.fnUntraced(function* ({ calls = () => true, faults, seed }: Faults) {
  const problem = problemOf(faults)
  if (problem !== undefined) return yield* Effect.die(new RangeError(problem))
  const random = yield* seed === undefined ? Random.Random : Random.withSeed(Random.Random, seed)
  const ways = faults.map(way)
  return (exchange: Exchange, send: Sending): Sending =>
    Effect.suspend(() => {
      if (!calls(exchange)) return send
      let drawn = random.nextDoubleUnsafe()
      const met = ways.find(({ share }) => (drawn -= share) < 0)
      return met === undefined ? send : met.go(send)
    })
})

const way = (fault: Fault): { readonly share: number; readonly go: (send: Sending) => Sending } => {
  const { share } = fault
  switch (fault._tag) {
    case "Instead": {
      const next = start(fault.answer)
      return { share, go: () => next() }
    }
    case "Lost":
      return { share, go: (send) => Effect.andThen(send, broken) }
    case "Slow":
      return { share, go: (send) => Effect.tap(send, () => Effect.sleep(fault.by)) }
  }
}

type Sending = Effect.Effect<Response, TransportError>

const broken = Effect.fail(
  new TransportError({ reason: new ConnectionFailed({ kind: "reset", detail: "a fault on purpose" }) })
)

// a sum of shares that were divided is not exact
const slack = 1e-9

const problemOf = (faults: ReadonlyArray<Fault>): string | undefined => {
  const wrong = faults.find(({ share }) => !(share >= 0))
  if (wrong !== undefined) return `The share of a fault is a number from 0 to 1, not ${wrong.share}.`
  const sum = faults.reduce((sum, { share }) => sum + share, 0)
  return sum > 1 + slack ? `The shares of all faults together are at most 1, not ${sum}.` : undefined
}
