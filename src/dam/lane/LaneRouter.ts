import type * as Effect from "effect/Effect"
import type { Response } from "../../step/Reply.ts"
import type { Draw } from "../../step/StepModel.ts"
import type { RuleShown } from "./LaneNames.ts"
import type { LaneView, LaneWhy } from "./LaneView.ts"
import type { LimitWhy } from "./LimitBook.ts"
import type { Asking, Permit, Waiting } from "./Permit.ts"
import type { Hold, Steering } from "./Steering.ts"
import type { HeldBy, Paused } from "../store/LaneRecords.ts"

/**
 * All lanes, wherever each of them is: in this process by `Lanes`.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneRouter {
  /** Waits for a permit of a host. To be called where interruption is off: see `Lane.acquire`. */
  readonly acquire: (lane: string, account: string, asking?: Asking) => Effect.Effect<Permit>
  /** The same for a call that may come back by the store: answers nothing where the lane is paused or held for long. */
  readonly seek: (lane: string, account: string, asking: Asking) => Effect.Effect<Permit | undefined>
  /** Says that jobs may have been queued in a lane, or in one queue of it. */
  readonly wake: (lane: string, queue?: string) => Effect.Effect<void>
  /** Says that queued jobs of a lane have changed: what was read of them is read again. */
  readonly reread: (lane: string) => Effect.Effect<void>
  /** Calls that wait, wherever, for a pause or a hold which lasts until a moment at least. */
  readonly stuck: (until: number) => number
  /** Takes in what an answer of the host taught, before anybody else is let through. */
  readonly observe: (answer: Answer) => Effect.Effect<void>
  /** Takes note of a call that had no answer because its target is down. */
  readonly failed: (call: FailedCall) => Effect.Effect<void>
  /** Lets nothing through for a while, for a reason that no answer gave. */
  readonly hold: (lane: string, account: string, millis: number, heldBy: HeldBy) => Effect.Effect<void>
  /** Milliseconds until the lane lets the account through again. */
  readonly heldFor: (lane: string, account: string) => Effect.Effect<number>
  /** What an upstream is told of what waits for it, so that it can scale: headers for its next call. */
  readonly load: (lane: string) => Effect.Effect<Readonly<Record<string, string>>>
  /** What decides when a queue of a lane, or a call of a running job, has its turn. */
  readonly why: (lane: string, queue: string) => Effect.Effect<LaneWhy & LaneNow>
  /** What its limits make a call wait for, with so many calls like it before it. */
  readonly limits: (draws: ReadonlyArray<Draw>, ahead: number) => Effect.Effect<ReadonlyArray<LimitWhy>>
  /** Where a call of this job waits for a permit, and what it draws on besides. */
  readonly waiting: (jobId: string) => (Waiting & { readonly lane: string }) | undefined
  /** What operators do with lanes. */
  readonly steering: Steering
  readonly views: Effect.Effect<ReadonlyArray<LaneView & { readonly lane: string }>>
}

/**
 * An answer of a host, and whose call it answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly lane: string
  readonly account: string
  readonly response: Response
  readonly jobId: string | undefined
  /** When its call was sent, in monotonic milliseconds: what it tells is news of that moment. */
  readonly sentAt: number
}

/**
 * A call without an answer.
 *
 * @category models
 * @since 0.1.0
 */
export type FailedCall = Pick<Answer, "jobId" | "lane" | "sentAt">

/**
 * What stops a lane now, and when now is.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneNow {
  /** Monotonic milliseconds. */
  readonly now: number
  /** The same moment in epoch milliseconds. */
  readonly epoch: number
  readonly holds: ReadonlyArray<Hold>
  /** By what calls to its host find their lanes; absent where they all have one. */
  readonly rule?: RuleShown | undefined
  readonly pausedBy: Paused | undefined
}
