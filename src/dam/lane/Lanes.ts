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
import type { LanePort } from "../store/LaneRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { type Called, observe, settingOf, type Dial, type PacingOptions } from "./Dial.ts"
import type { Lane } from "./Lane.ts"
import * as LaneModule from "./Lane.ts"
import type { LaneRouter } from "./LaneRouter.ts"
import type { LaneOptions } from "./LaneState.ts"
import { silent } from "./Learning.ts"
import * as LimitBook from "./LimitBook.ts"
import * as Paces from "./Paces.ts"
import * as LaneSteering from "./Steered.ts"

/** How old the count of a lane's queue may be in milliseconds; a long one takes a while to count. */
const countedFor = (depth: number): number => (depth > 100_000 ? 10_000 : 1000)

/** How often lanes that nobody needs are dropped, and how long one must have been left alone. */
const tidyEvery = Duration.minutes(1)

/** What lanes work with. */
export interface LanesParts extends Pick<LaneOptions, "limits" | "room" | "start"> {
  /** Is told of each answer. Defaults to nobody. */
  readonly called?: Called | undefined
  /** How many permits are held in a lane. Defaults to none. */
  readonly permitsIn?: ((lane: string) => number) | undefined
}

/**
 * Makes the lanes; they run in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: LanePort,
  options: PacingOptions,
  { called, limits, permitsIn, room, start }: LanesParts
): Effect.fn.Return<LaneRouter, StoreError, Scope.Scope> {
  const fibers = yield* FiberMap.make<string>()
  const fork = yield* FiberMap.runtime(fibers)()
  const paces = yield* Paces.make(store)
  const settings = yield* LaneSteering.load(store)
  const dial: Dial = { options, paces, settings, called }
  const book = limits ?? LimitBook.make()
  const self: State = { store, dial, limits: book, start, room, permitsIn, fibers, fork, lanes: new Map() }
  yield* Effect.forkScoped(tidy(self))
  return routerOf(self)
})

interface State {
  readonly store: LanePort
  readonly dial: Dial
  readonly start: LaneOptions["start"]
  readonly room: LaneOptions["room"]
  readonly permitsIn: LanesParts["permitsIn"]
  readonly limits: LimitBook.LimitBook
  /** One for each lane, and one for each count under way. */
  readonly fibers: FiberMap.FiberMap<string>
  readonly fork: (name: string, effect: Effect.Effect<void>) => unknown
  readonly lanes: Map<string, Known>
}

interface Known {
  readonly lane: Lane
  usedAt: number
  depth: number
  countedAt: number
}

const routerOf = (self: State): LaneRouter => ({
  acquire: (host, account, asking) => Effect.flatten(withLane(self, host, (lane) => lane.acquire(account, asking))),
  wake: (host, queue) => withLane(self, host, (lane) => lane.wake(queue)),
  seek: (host, account, asking) => Effect.flatten(withLane(self, host, (lane) => lane.seek(account, asking))),
  stuck: (until) => {
    let count = 0
    for (const { lane } of self.lanes.values()) count += lane.stuck(until)
    return count
  },
  observe: (answer) => withLane(self, answer.lane, (lane, clock) => observe(self.dial, lane, answer, clock)),
  load: (host) => withLane(self, host, (_, clock, known) => load(self, host, known, monotonic(clock))),
  hold: (host, account, millis, heldBy) =>
    withLane(self, host, (lane, clock) => {
      const lesson = { ...silent, hold: millis, heldBy }
      const now = monotonic(clock)
      lane.learn(account, lesson, now)
      self.dial.paces.learn({ lane: host, account }, lesson, { sentAt: now, now: clock.currentTimeMillisUnsafe() })
    }),
  heldFor: (host, account) => withLane(self, host, (lane, clock) => lane.heldFor(account, monotonic(clock))),
  why: (host, queue) =>
    withLane(self, host, (lane, clock) => {
      const epoch = clock.currentTimeMillisUnsafe()
      const holds = LaneSteering.holdsOf(self.dial.paces.of(host), epoch)
      const pausedBy = self.dial.settings.get(host)?.paused
      return { ...lane.why(queue, monotonic(clock)), now: monotonic(clock), epoch, holds, pausedBy }
    }),
  limits: (draws, ahead) =>
    Clock.clockWith((clock) => Effect.succeed(LimitBook.why(self.limits, draws, { ahead, now: monotonic(clock) }))),
  waiting: (jobId) => {
    for (const [host, { lane }] of self.lanes) {
      const found = lane.waiting(jobId)
      if (found !== undefined) return { lane: host, ...found }
    }
    return undefined
  },
  steering: steeringOf(self),
  views: Clock.clockWith((clock) =>
    Effect.sync(() => Array.from(self.lanes, ([host, { lane }]) => ({ lane: host, ...lane.view(monotonic(clock)) })))
  )
})

const steeringOf = ({ dial, lanes, permitsIn, store }: State) =>
  LaneSteering.make(store, {
    settings: dial.settings,
    names: () => lanes.keys(),
    find: (host) => lanes.get(host)?.lane,
    taught: dial.paces.lanes,
    pacesOf: dial.paces.of,
    forget: dial.paces.reset,
    settingOf: (host) => settingOf(dial, host),
    isConfigured: (host) => dial.options.hosts?.[host] !== undefined,
    permitsIn
  })

/** Finds or makes a lane; all at once, so that a lane which is used is never one that was dropped. */
const withLane = <A>(
  self: State,
  host: string,
  use: (lane: Lane, clock: Clock.Clock, known: Known) => A
): Effect.Effect<A> =>
  Clock.clockWith((clock) => {
    const known = self.lanes.get(host) ?? open(self, host, clock)
    known.usedAt = monotonic(clock)
    return Effect.succeed(use(known.lane, clock, known))
  })

const open = ({ dial, fork, lanes, limits, room, start, store }: State, host: string, clock: Clock.Clock): Known => {
  const { options, paces, settings } = dial
  const lane = LaneModule.make({
    burst: options.burst ?? 1,
    settingOf: (account) => settingOf(dial, host, account),
    keptOf: (account = "") => paces.get(host, account)?.kept,
    accountQueues: paces.get(host, "")?.accountQueues,
    queues: store.queues(host),
    page: (queue, limit) => store.page(host, queue, Number.MIN_SAFE_INTEGER, limit),
    start,
    room,
    limits
  })
  const made: Known = { lane, usedAt: monotonic(clock), depth: 0, countedAt: Number.NEGATIVE_INFINITY }
  lanes.set(host, made)
  const now = clock.currentTimeMillisUnsafe()
  if (settings.get(host)?.paused !== undefined) lane.pause(true, monotonic(clock))
  for (const { account, heldUntil = 0 } of paces.of(host)) {
    if (heldUntil > now) lane.hold(account, monotonic(clock) + heldUntil - now)
  }
  fork(host, lane.run)
  return made
}

const load = ({ fork, store }: State, host: string, known: Known, now: number): Readonly<Record<string, string>> => {
  if (now - known.countedAt > countedFor(known.depth)) {
    known.countedAt = now
    const count = Effect.map(store.depth(host), (depth) => void (known.depth = depth))
    // it is told again with the next call
    fork(`${host} depth`, Effect.ignore(count))
  }
  const { open: calls, pace, waiting } = known.lane.view(now)
  return {
    "X-Aqueduct-Total-Jobs": String(known.depth + calls + waiting),
    "X-Aqueduct-Queue-Depth": String(known.depth),
    "X-Aqueduct-Flow-Rate": decimal(pace.rps)
  }
}

/** Without an exponent, which readers of the header do not expect. */
const decimal = (rate: number): string => (rate < 0.01 ? rate.toFixed(6) : String(Number(rate.toPrecision(6))))

/** Drops lanes that nobody needs, from time to time. */
const tidy = Effect.fnUntraced(function* ({ dial, fibers, lanes }: State) {
  while (true) {
    yield* Effect.sleep(tidyEvery)
    const now = monotonic(yield* Clock.Clock)
    dial.paces.forget(yield* Clock.currentTimeMillis)
    for (const [host, { lane, usedAt }] of lanes) {
      if (now - usedAt < Duration.toMillis(tidyEvery) || !lane.idle(now)) continue
      // found before anything else can happen: a lane made anew under the name has a fiber of its own
      const fiber = FiberMap.getUnsafe(fibers, host)
      lanes.delete(host)
      if (Option.isSome(fiber)) yield* Fiber.interrupt(fiber.value)
    }
  }
})

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
