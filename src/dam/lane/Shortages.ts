/**
 * What this machine lacks to make calls: sockets, memory, ports, a name server. That is not the fault of a job and not an
 * answer of its target, so the job's lane is held for a while, for longer each time, and nothing is spent.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Failure } from "../../step/Failure.ts"
import type { LaneRouter } from "./LaneRouter.ts"

/** What was lacking lately. */
export interface Shortages {
  readonly lanes: Map<string, Lacking>
}

interface Lacking {
  readonly detail: string
  /** Epoch milliseconds of the first of the row. */
  readonly since: number
  /** Monotonic milliseconds up to which the lane is held. */
  readonly until: number
  /** How many calls in a row could not be made, those at once counted as one. */
  readonly times: number
}

/** A shortage as `/health` shows it. */
export interface ShortageView {
  readonly problem: string
  readonly since: number
  readonly lanes: number
}

/** How long a lane is held at first and at most, in milliseconds. */
const shortest = 2000
const longest = 60_000

/** How long after its hold a lane that nobody has called since still counts, in milliseconds. */
const remembered = 60_000

/** Nothing is lacking. */
export const make = (): Shortages => ({ lanes: new Map() })

/** Tells whether a call could not be made for want of something here. */
export const isShortage = (failure: Failure): boolean =>
  failure._tag === "ConnectionFailed" && failure.kind === "shortage"

/** A call to a lane could not be made: the lane is held. */
export const note = Effect.fnUntraced(function* (
  { lanes: lacking }: Shortages,
  lanes: Pick<LaneRouter, "hold">,
  call: { readonly lane: string; readonly account: string; readonly jobId: string; readonly detail: string }
) {
  const { account, detail, jobId, lane } = call
  const now = yield* monotonicMillis
  const before = lacking.get(lane)
  // calls that were under way together have met the same shortage
  if (before !== undefined && before.until > now) return
  const times = (before?.times ?? 0) + 1
  const millis = Math.min(longest, shortest * 2 ** (times - 1))
  const since = before?.since ?? (yield* Clock.currentTimeMillis)
  lacking.set(lane, { detail, since, until: now + millis, times })
  yield* Effect.logWarning(`nothing can be sent to ${lane} for ${millis / 1000} s: ${detail}`)
  yield* lanes.hold(lane, account, millis, { reason: "shortage", status: undefined, jobId })
})

/** A call to a lane was made. */
export const over = ({ lanes }: Shortages, lane: string): void => {
  if (lanes.size > 0) lanes.delete(lane)
}

/** What is lacking now; `undefined`: nothing. */
export const view = ({ lanes }: Shortages): Effect.Effect<ShortageView | undefined> =>
  Effect.map(monotonicMillis, (now) => {
    for (const [lane, { until }] of lanes) if (until + remembered <= now) lanes.delete(lane)
    const [first] = lanes.values()
    return first === undefined ? undefined : { problem: first.detail, since: first.since, lanes: lanes.size }
  })

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
