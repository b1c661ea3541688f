/**
 * The lanes of all hosts: made when first needed, fed by the store, taught by answers, their pace kept over restarts.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Pacing from "../../engine/Pacing.ts"
import type { Response } from "../../step/Reply.ts"
import type { Ticket } from "../store/JobRecords.ts"
import type { LanePort } from "../store/LaneRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Pace } from "./Gate.ts"
import { defaultPace } from "./Gate.ts"
import type { Lane } from "./Lane.ts"
import * as LaneModule from "./Lane.ts"
import type { LaneRouter } from "./LaneRouter.ts"
import { learn } from "./Learning.ts"
import * as Paces from "./Paces.ts"
import type { Room, Permit } from "./Permit.ts"
import * as LaneSteering from "./Steered.ts"

/**
 * How upstreams are paced.
 *
 * @category models
 * @since 0.1.0
 */
export interface PacingOptions {
  /** The pace of a host that has said nothing and is not named in `hosts`. Defaults to 2 per second, 2 at once. */
  readonly pace?: Partial<Pace> | undefined
  /** Paces by canonical `host:port`. */
  readonly hosts?: Readonly<Record<string, Partial<Pace>>> | undefined
  /** Calls that being late may give back. Defaults to 1. */
  readonly burst?: number | undefined
  /** What an upstream may raise or lower its pace to. Defaults to 0.01 to 1,000 per second and 1 to 100 at once. */
  readonly bounds?: Pacing.Bounds | undefined
}

/** How old the count of a lane's queue may be in milliseconds; a long one takes a while to count. */
const countedFor = (depth: number): number => (depth > 100_000 ? 10_000 : 1000)

/** How often lanes that nobody needs are dropped, and how long one must have been left alone. */
const tidyEvery = Duration.minutes(1)

/**
 * Makes the lanes; they run in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: LanePort,
  options: PacingOptions,
  start: (ticket: Ticket, permit: Permit) => Effect.Effect<void, StoreError>,
  room: Room
): Effect.fn.Return<LaneRouter, StoreError, Scope.Scope> {
  const fibers = yield* FiberMap.make<string>()
  const fork = yield* FiberMap.runtime(fibers)()
  const lanes = new Map<string, Known>()
  const bounds = options.bounds ?? Pacing.defaultBounds
  const paces = yield* Paces.make(store)
  const settings = yield* LaneSteering.load(store)

  const paceOf = (host: string, account = ""): Pace => {
    const learnt = paces.get(host, account) ?? paces.get(host, "")
    const steered = settings.get(host)
    const rps = steered?.rps ?? learnt?.rps
    const maxConcurrent = steered?.maxConcurrent ?? learnt?.maxConcurrent
    return {
      ...defaultPace,
      ...options.pace,
      ...options.hosts?.[host],
      ...(rps === undefined ? {} : { rps }),
      ...(maxConcurrent === undefined ? {} : { maxConcurrent })
    }
  }

  /** Finds or makes a lane; all at once, so that a lane which is used is never one that was dropped. */
  const withLane = <A>(host: string, use: (lane: Lane, clock: Clock.Clock, known: Known) => A): Effect.Effect<A> =>
    Clock.clockWith((clock) => {
      const known = lanes.get(host)
      if (known !== undefined) {
        known.usedAt = monotonic(clock)
        return Effect.succeed(use(known.lane, clock, known))
      }
      const lane = LaneModule.make({
        burst: options.burst ?? 1,
        paceOf: (account) => paceOf(host, account),
        accountQueues: paces.get(host, "")?.accountQueues,
        queues: store.queues(host),
        page: (queue, limit) => store.page(host, queue, Number.MIN_SAFE_INTEGER, limit),
        start,
        room
      })
      const made: Known = { lane, usedAt: monotonic(clock), depth: 0, countedAt: Number.NEGATIVE_INFINITY }
      lanes.set(host, made)
      const now = clock.currentTimeMillisUnsafe()
      if (settings.get(host)?.paused !== undefined) lane.pause(true)
      for (const { account, heldUntil = 0 } of paces.of(host)) {
        if (heldUntil > now) lane.learn(account, { ...nothing, hold: heldUntil - now }, monotonic(clock))
      }
      fork(host, lane.run)
      return Effect.succeed(use(lane, clock, made))
    })

  const observe = (host: string, account: string, response: Response, jobId?: string): Effect.Effect<void> =>
    withLane(host, (lane, clock) => {
      const nowMillis = clock.currentTimeMillisUnsafe()
      const now = monotonic(clock)
      const isHeld = lane.heldFor(account, now) > 0
      const refusals = paces.refusals(host, account, response.status === 429, isHeld)
      const lesson = learn(response, { nowMillis, bounds, refusalsInARow: refusals, jobId })
      const { maxConcurrent, rps } = settings.get(host) ?? {}
      // what an operator says goes before what the upstream says, which is kept for when the operator takes it back
      const obeyed =
        rps === undefined && maxConcurrent === undefined
          ? lesson
          : {
              ...lesson,
              rps: rps === undefined ? lesson.rps : undefined,
              maxConcurrent: maxConcurrent === undefined ? lesson.maxConcurrent : undefined
            }
      lane.learn(account, obeyed, now)
      paces.learn(host, account, lesson, nowMillis)
    })

  const load = (host: string) =>
    withLane(host, (lane, clock, known) => {
      const now = monotonic(clock)
      if (now - known.countedAt > countedFor(known.depth)) {
        known.countedAt = now
        const count = Effect.map(store.depth(host), (depth) => void (known.depth = depth))
        // it is told again with the next call
        fork(`${host} depth`, Effect.ignore(count))
      }
      const { open, pace, waiting } = lane.view(now)
      return {
        "X-Aqueduct-Total-Jobs": String(known.depth + open + waiting),
        "X-Aqueduct-Queue-Depth": String(known.depth),
        "X-Aqueduct-Flow-Rate": String(pace.rps)
      }
    })

  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (true) {
        yield* Effect.sleep(tidyEvery)
        const now = yield* monotonicMillis
        paces.forget(yield* Clock.currentTimeMillis)
        for (const [host, { lane, usedAt }] of lanes) {
          if (now - usedAt < Duration.toMillis(tidyEvery) || !lane.idle(now)) continue
          // found before anything else can happen: a lane made anew under the name has a fiber of its own
          const fiber = FiberMap.getUnsafe(fibers, host)
          lanes.delete(host)
          if (Option.isSome(fiber)) yield* Fiber.interrupt(fiber.value)
        }
      }
    })
  )

  return {
    acquire: (host, account, jobId) => Effect.flatten(withLane(host, (lane) => lane.acquire(account, jobId))),
    wake: (host, queue) => withLane(host, (lane) => lane.wake(queue)),
    roomLeft: () => {
      for (const { lane } of lanes.values()) lane.roomLeft()
    },
    observe,
    load,
    hold: (host, account, millis, heldBy) =>
      withLane(host, (lane, clock) => {
        const lesson = { ...nothing, hold: millis, heldBy }
        lane.learn(account, lesson, monotonic(clock))
        paces.learn(host, account, lesson, clock.currentTimeMillisUnsafe())
      }),
    heldFor: (host, account) => withLane(host, (lane, clock) => lane.heldFor(account, monotonic(clock))),
    why: (host, queue) =>
      withLane(host, (lane, clock) => {
        const epoch = clock.currentTimeMillisUnsafe()
        return {
          ...lane.why(queue),
          now: monotonic(clock),
          epoch,
          holds: LaneSteering.holdsOf(paces.of(host), epoch),
          pausedBy: settings.get(host)?.paused
        }
      }),
    waiting: (jobId) => {
      for (const [host, { lane }] of lanes) {
        const account = lane.waiting(jobId)
        if (account !== undefined) return { lane: host, account }
      }
      return undefined
    },
    steering: LaneSteering.make(store, {
      settings,
      names: () => lanes.keys(),
      find: (host) => lanes.get(host)?.lane,
      taught: paces.lanes,
      pacesOf: paces.of,
      forget: paces.reset,
      paceOf,
      isConfigured: (host) => options.hosts?.[host] !== undefined
    }),
    views: Effect.map(monotonicMillis, (now) =>
      Array.from(lanes, ([host, { lane }]) => ({ lane: host, ...lane.view(now) }))
    )
  }
})

interface Known {
  readonly lane: Lane
  usedAt: number
  depth: number
  countedAt: number
}

const nothing = {
  rps: undefined,
  maxConcurrent: undefined,
  accountQueues: undefined,
  hold: undefined,
  ignored: 0
} as const

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const monotonicMillis = Clock.clockWith((clock) => Effect.succeed(monotonic(clock)))
