/**
 * The lanes of all hosts: made when first needed, fed by the store, taught by answers, their pace kept over restarts.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import * as Pacing from "../engine/Pacing.ts"
import type { Response } from "../step/Reply.ts"
import type { Pace } from "./Gate.ts"
import { defaultPace } from "./Gate.ts"
import type { JobStore, StoredPace, StoreError, Ticket } from "./JobStore.ts"
import type { Lane, LaneView, Permit } from "./Lane.ts"
import * as LaneModule from "./Lane.ts"
import { learn } from "./Learning.ts"

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

/**
 * All lanes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lanes {
  /** Waits for a permit of a host. */
  readonly acquire: (lane: string, account: string) => Effect.Effect<Permit>
  /** Says that jobs may have been queued in a lane. */
  readonly wake: (lane: string, account?: string) => Effect.Effect<void>
  /** Takes in what an answer of the host taught. */
  readonly observe: (lane: string, account: string, response: Response) => Effect.Effect<void>
  /** Milliseconds until the lane lets anybody through again. */
  readonly heldFor: (lane: string) => Effect.Effect<number>
  readonly views: Effect.Effect<ReadonlyArray<LaneView & { readonly lane: string }>>
}

/** A learnt pace is forgotten after this long without traffic. */
const memoryMillis = 3_600_000

/**
 * Makes the lanes; they run in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: JobStore["Service"],
  options: PacingOptions,
  start: (ticket: Ticket, permit: Permit) => Effect.Effect<void>,
  room: () => number
): Effect.fn.Return<Lanes, StoreError, Scope.Scope> {
  const fibers = yield* FiberMap.make<string>()
  const lanes = new Map<string, Lane>()
  const refusals = new Map<string, number>()
  const bounds = options.bounds ?? Pacing.defaultBounds
  const learnt = new Map<string, StoredPace>()
  const startedAt = yield* Clock.currentTimeMillis
  for (const pace of yield* store.paces) {
    if (pace.account === "" && startedAt - pace.seenAt < memoryMillis) learnt.set(pace.lane, pace)
  }

  const paceOf = (host: string): Pace => {
    const stored = learnt.get(host)
    return {
      ...defaultPace,
      ...options.pace,
      ...options.hosts?.[host],
      ...(stored?.rps === undefined ? {} : { rps: stored.rps }),
      ...(stored?.maxConcurrent === undefined ? {} : { maxConcurrent: stored.maxConcurrent })
    }
  }

  const lane = Effect.fnUntraced(function* (host: string) {
    const known = lanes.get(host)
    if (known !== undefined) return known
    const made = LaneModule.make({
      pace: paceOf(host),
      burst: options.burst ?? 1,
      // a store that fails for a moment is asked again at the next wake
      accounts: orNothing(store.accounts(host)),
      page: (account, limit) => orNothing(store.page(host, account, Number.MIN_SAFE_INTEGER, limit)),
      start,
      room
    })
    lanes.set(host, made)
    const held = learnt.get(host)?.heldUntil
    const now = yield* Clock.currentTimeMillis
    if (held !== undefined && held > now) {
      made.learn("", { ...nothing, hold: held - now }, yield* monotonicMillis)
    }
    yield* FiberMap.run(fibers, host, made.run)
    return made
  })

  const observe = Effect.fnUntraced(function* (host: string, account: string, response: Response) {
    const now = yield* Clock.currentTimeMillis
    const lesson = learn(response, { nowMillis: now, bounds, refusalsInARow: refusals.get(host) ?? 0 })
    if (response.status === 429) refusals.set(host, (refusals.get(host) ?? 0) + 1)
    else refusals.delete(host)
    const taught =
      lesson.rps !== undefined ||
      lesson.maxConcurrent !== undefined ||
      lesson.accountQueues !== undefined ||
      lesson.hold !== undefined
    if (!taught) return
    ;(yield* lane(host)).learn(account, lesson, yield* monotonicMillis)
    const before = learnt.get(host)
    const pace: StoredPace = {
      lane: host,
      account: "",
      rps: lesson.rps ?? before?.rps,
      maxConcurrent: lesson.maxConcurrent ?? before?.maxConcurrent,
      accountQueues: lesson.accountQueues ?? before?.accountQueues,
      heldUntil: lesson.hold === undefined ? before?.heldUntil : Math.ceil(now + lesson.hold),
      seenAt: now
    }
    const isNews =
      pace.rps !== before?.rps ||
      pace.maxConcurrent !== before?.maxConcurrent ||
      pace.accountQueues !== before?.accountQueues ||
      lesson.hold !== undefined ||
      now - (before?.seenAt ?? 0) > memoryMillis / 4
    learnt.set(host, pace)
    if (isNews) yield* Effect.ignore(store.savePace(pace))
  })

  return {
    acquire: (host, account) => Effect.flatMap(lane(host), (it) => it.acquire(account)),
    wake: (host, account) => Effect.map(lane(host), (it) => it.wake(account)),
    observe,
    heldFor: (host) => Effect.map(monotonicMillis, (now) => lanes.get(host)?.view(now).heldFor ?? 0),
    views: Effect.map(monotonicMillis, (now) => Array.from(lanes, ([host, it]) => ({ lane: host, ...it.view(now) })))
  }
})

const nothing = {
  rps: undefined,
  maxConcurrent: undefined,
  accountQueues: undefined,
  hold: undefined,
  ignored: 0
} as const

const orNothing = <A>(read: Effect.Effect<ReadonlyArray<A>, StoreError>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.catch(read, (error) => Effect.as(Effect.logWarning(error.message), []))

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
