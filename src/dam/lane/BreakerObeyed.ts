/** What breakers of lanes decide, done: lanes are held, given another pace and let go again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { problemOf, settingsOf } from "../../engine/BreakerOptions.ts"
import * as Refusal from "../../engine/Refusal.ts"
import { means } from "../job/LaneName.ts"
import * as Breaker from "./Breaker.ts"
import * as Dial from "./Dial.ts"
import type { PacingOptions } from "./Dial.ts"
import type { Lane } from "./Lane.ts"
import type { Answer, FailedCall } from "./LaneRouter.ts"
import { silent } from "./Learning.ts"
import type { Paces } from "./Paces.ts"

/** The lanes that obey. */
export interface Obeying {
  readonly dial: Dial.Dial
  /** Does something with a lane, which is found or made. */
  readonly on: (name: string, use: (lane: Lane, clock: Clock.Clock) => Effect.Effect<void>) => Effect.Effect<void>
}

/** Makes the breakers, open where a hold is kept that says so. Options that cannot be kept to are a defect. */
export const breakersOf = ({ breaker = {} }: PacingOptions, paces: Paces): Effect.Effect<Breaker.Breakers> =>
  Clock.clockWith((clock) => {
    const settings = breaker === false ? undefined : settingsOf(breaker, Breaker.defaults)
    const problem = settings && problemOf(settings)
    if (problem !== undefined) return Effect.die(new RangeError(problem))
    const stored = Array.from(paces.lanes(), paces.of).flat()
    return Effect.succeed(
      Breaker.make(settings, stored, { now: monotonic(clock), epoch: clock.currentTimeMillisUnsafe() })
    )
  })

/** Whether an answer says that its target is down; who asks to be called less is there. */
const isDown = ({ options }: Dial.Dial, { lane, response }: Answer): boolean =>
  response.status >= 500 && Refusal.read(response, 0, Dial.rulesOf(options, lane)).kind !== "TooMany"

/** A call to a lane was answered. */
export const answered = (self: Obeying, answer: Answer): Effect.Effect<void> =>
  ended(self, answer, isDown(self.dial, answer))

/** Forgets all that a lane was taught. */
export const forget = ({ breakers, paces }: Dial.Dial, lane: string): void => {
  paces.reset(lane)
  breakers.known.delete(lane)
}

/** A call has ended: where its lane's breaker changes by that, the lane obeys. */
export const ended = (self: Obeying, call: FailedCall, isDown: boolean): Effect.Effect<void> =>
  Breaker.minds(self.dial.breakers, { lane: call.lane, isDown })
    ? Effect.flatMap(Random.next, (draw) =>
        self.on(call.lane, (lane, clock) => {
          const { breakers } = self.dial
          const now = monotonic(clock)
          const change = Breaker.ended(breakers, { lane: call.lane, isDown, sentAt: call.sentAt, now, draw })
          return obey(self, { lane, name: call.lane, jobId: call.jobId }, change, clock)
        })
      )
    : Effect.void

/** An operator opens or closes the breakers of those lanes that the name of a host means. */
export const steer = (
  self: Obeying,
  names: ReadonlyArray<string>,
  { host, to, why }: { readonly host: string; readonly to: "open" | "closed"; readonly why: string }
): Effect.Effect<void> =>
  Effect.forEach(new Set(names.filter((name) => means(host, name))), (name) => steerOne(self, name, to, why), {
    discard: true
  })

const steerOne = (self: Obeying, name: string, to: "open" | "closed", why: string): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (draw) =>
    self.on(name, (lane, clock) => {
      const { breakers, paces } = self.dial
      const drawn = { now: monotonic(clock), draw }
      if (to === "open")
        return obey(self, { lane, name, jobId: undefined }, Breaker.opened(breakers, name, why, drawn), clock)
      // one that has opened holds its lane; another hold is somebody else's
      const holds = paces.get(name, "")?.heldBy?.reason === "breaker"
      const change = Breaker.shut(breakers, name, drawn)
      if (holds) lane.release()
      return obey(self, { lane, name, jobId: undefined }, change, clock)
    })
  )

/** A lane obeys its breaker. */
const obey = (
  { dial: { paces } }: Obeying,
  { jobId, lane, name }: { readonly lane: Lane; readonly name: string; readonly jobId: string | undefined },
  { breaker, hold, isClosed, isRepaced }: Breaker.Change,
  clock: Clock.Clock
): Effect.Effect<void> => {
  const now = monotonic(clock)
  const epoch = clock.currentTimeMillisUnsafe()
  if (isClosed) paces.release(name, epoch)
  if (hold !== undefined && breaker._tag === "Open") {
    const { times, why } = breaker
    const heldBy = { reason: "breaker", status: undefined, jobId, times, why } as const
    paces.learn({ lane: name, account: "" }, { ...silent, hold, heldBy }, { sentAt: now, now: epoch })
    lane.hold("", now + hold)
  }
  if (isRepaced) lane.repace(false, now)
  if (hold !== undefined && breaker._tag === "Open")
    return Effect.logWarning(`the breaker of ${name} is open for ${Math.round(hold)} ms: ${breaker.why}`)
  return isClosed ? Effect.logInfo(`the breaker of ${name} is closed again`) : Effect.void
}

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
