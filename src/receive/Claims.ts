/**
 * Does something once for an id, whoever else may be at it: what is under way is claimed in the store, and the claim is
 * kept for as long as it takes.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { EventStoreFailed } from "./EventStore.ts"
import type { Inbox } from "./Inbox.ts"

/** `Done` and `Failed` came of this run; `Handled` and `Busy` say that there was none. */
export type End = "Done" | "Failed" | "Handled" | "Busy"

export interface Claims {
  readonly once: (work: Work) => Effect.Effect<End, EventStoreFailed>
}

export interface Work {
  readonly id: string
  /** What is kept under the id. */
  readonly body: string
  /** Answers whether it is done for good. */
  readonly run: Effect.Effect<boolean>
}

/** Makes claims that nobody else's are mistaken for. */
export const make = Effect.fnUntraced(function* ({
  keepForMillis,
  store
}: Pick<Inbox, "keepForMillis" | "store">): Effect.fn.Return<Claims> {
  const me = `${yield* Random.nextInt}-${yield* Random.nextInt}`
  let claims = 0
  return {
    once: Effect.fnUntraced(function* ({ body, id, run }) {
      const token = `${me}-${claims++}`
      const claim = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        store.claim({ id, body, token, now, claimedUntil: now + claimMillis, keepUntil: now + keepForMillis })
      )
      const claimed = yield* claim
      if (claimed !== "Claimed") return claimed
      const renewed = Effect.forever(Effect.andThen(Effect.sleep(claimMillis / 3), Effect.ignore(claim)))
      const isDone = yield* Effect.raceFirst(run, renewed).pipe(
        // an interrupted handler has not succeeded: the next attempt may start at once
        Effect.onInterrupt(() => Effect.ignore(store.settle(id, token, false)))
      )
      yield* store.settle(id, token, isDone)
      return isDone ? "Done" : "Failed"
    })
  }
})

// a claim that nobody renews ends by itself, so that the sender's next attempt is handled
const claimMillis = 60_000
