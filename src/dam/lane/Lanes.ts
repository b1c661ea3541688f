/**
 * The lanes of all hosts: made when first needed, fed by the store, taught by answers, their pace kept over restarts.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { LanePort, StoredPace } from "../store/LaneRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { accountOf, customerIn, hostIn, isReceiverLane, keyedLane, keyIn } from "../job/LaneName.ts"
import type { Weights } from "./Accounts.ts"
import * as Breaker from "./Breaker.ts"
import * as Obedience from "./BreakerObeyed.ts"
import * as Dial from "./Dial.ts"
import type { Called, PacingOptions } from "./Dial.ts"
import * as Meter from "../../engine/pace/Meter.ts"
import * as HostGate from "./HostGate.ts"
import type { Lane } from "./Lane.ts"
import * as LaneModule from "./Lane.ts"
import type { Answer, LaneRouter } from "./LaneRouter.ts"
import type { LaneOptions } from "./LaneState.ts"
import * as LaneNames from "./LaneNames.ts"
import { steeredOf } from "./Settings.ts"
import type { Fork } from "./Signal.ts"
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
  /** How lanes are named. Defaults to by their hosts. */
  readonly names?: LaneNames.LaneNames | undefined
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
  { called, limits = LimitBook.make(), names = LaneNames.byHost, permitsIn, room, start }: LanesParts
): Effect.fn.Return<LaneRouter, StoreError, Scope.Scope> {
  const fork = yield* FiberSet.runtime(yield* FiberSet.make<void>())()
  const paces = yield* Paces.make(store)
  const settings = yield* LaneSteering.load(store)
  const breakers = yield* Obedience.breakersOf(options, paces)
  const dial: Dial.Dial = { options, paces, settings, breakers, called }
  const lanes = new Map<string, Known>()
  const meters = Meter.maker(options.burst ?? 1)
  const hosts = new Map<string, HostGate.HostGate>()
  const weights = weightsOf(options)
  const self: State = { store, dial, names, limits, start, room, permitsIn, meters, fork, lanes, hosts, weights }
  yield* Effect.forkScoped(tidy(self))
  return routerOf(self)
})

interface State {
  readonly store: LanePort
  readonly dial: Dial.Dial
  readonly names: LaneNames.LaneNames
  readonly start: LaneOptions["start"]
  readonly room: LaneOptions["room"]
  readonly permitsIn: LanesParts["permitsIn"]
  readonly limits: LimitBook.LimitBook
  readonly meters: ReturnType<typeof Meter.maker>
  readonly fork: Fork
  readonly lanes: Map<string, Known>
  /** What holds for all lanes of a host. */
  readonly hosts: Map<string, HostGate.HostGate>
  /** How many calls the turns of customers are for. */
  readonly weights: Weights
}

const weightsOf = ({ weights = {} }: PacingOptions): Weights =>
  new Map(
    Object.entries(weights).map(([customer, weight]) => [
      customerIn(accountOf(customer, {})),
      Math.max(1, Math.trunc(weight) || 1)
    ])
  )

// its surroundings too, whose functions are the same for all: there may be ten thousand lanes
class Known implements LaneOptions {
  readonly lane: Lane
  usedAt: number
  depth = 0
  countedAt = Number.NEGATIVE_INFINITY
  isCounting = false
  private readonly self: State
  private readonly name: string
  private readonly clock: Clock.Clock

  constructor(self: State, name: string, clock: Clock.Clock) {
    this.self = self
    this.name = name
    this.usedAt = monotonic(clock)
    this.clock = clock
    this.lane = LaneModule.make(this)
  }

  get fork() {
    return this.self.fork
  }

  get burst() {
    return this.self.dial.options.burst ?? 1
  }

  get meters() {
    return this.self.meters
  }

  get weights() {
    return this.self.weights
  }

  get limits() {
    return this.self.limits
  }

  get room() {
    return this.self.room
  }

  get start() {
    return this.self.start
  }

  get accountQueues() {
    return this.self.dial.paces.get(this.name, "")?.accountQueues
  }

  get queues() {
    return this.self.store.queues(this.name)
  }

  settingOf(account: string | undefined) {
    return Dial.settingOf(this.self.dial, this.name, account)
  }

  keptOf(account = "") {
    return this.self.dial.paces.get(this.name, account)?.kept
  }

  page(queue: string, limit: number) {
    return this.self.store.page(this.name, queue, Number.MIN_SAFE_INTEGER, limit)
  }

  host(told: () => void): HostGate.Share {
    const { name, self } = this
    return isReceiverLane(name) ? HostGate.alone : gateOf(self, hostIn(name), this.clock).join(keyIn(name), told)
  }
}

const routerOf = (self: State): LaneRouter => ({
  acquire: (host, account, asking) => Effect.flatten(withLane(self, host, (lane) => lane.acquire(account, asking))),
  wake: (host, queue) => withLane(self, host, (lane) => lane.wake(queue)),
  reread: (host) => withLane(self, host, (lane) => lane.reread()),
  seek: (host, account, asking) => Effect.flatten(withLane(self, host, (lane) => lane.seek(account, asking))),
  stuck: (until) => {
    let count = 0
    for (const { lane } of self.lanes.values()) count += lane.stuck(until)
    return count
  },
  observe: (answer) =>
    Effect.andThen(
      withLane(self, answer.lane, (lane, clock) => hear(self, lane, answer, clock)),
      Obedience.answered(obeying(self), answer)
    ),
  failed: (call) => Obedience.ended(obeying(self), call, true),
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
      const holds = LaneSteering.holdsOf(pacesOf(self, host), epoch)
      const pausedBy = steeredOf(self.dial.settings, host).paused
      const rule = self.names.isRuled(host) ? self.names.ruleOf(host) : undefined
      return { ...lane.why(queue, monotonic(clock)), now: monotonic(clock), epoch, holds, rule, pausedBy }
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

const steeringOf = (self: State) => {
  const { dial, hosts, lanes, names, permitsIn, store } = self
  return LaneSteering.make(store, {
    permitsIn,
    settings: dial.settings,
    names: () => lanes.keys(),
    find: (name) => lanes.get(name)?.lane,
    taught: dial.paces.lanes,
    pacesOf: (name) => pacesOf(self, name),
    forget: (name) => Obedience.forget(dial, name),
    settingOf: (name) => Dial.settingOf(dial, name),
    isConfigured: (name) => (dial.options.hosts?.[name] ?? dial.options.hosts?.[hostIn(name)]) !== undefined,
    ruleOf: names.ruleOf,
    setRule: names.setRule,
    breakerOf: (name, now) => Breaker.statusOf(dial.breakers, name, now),
    setBreaker: (host, to, why) => Obedience.steer(obeying(self), [host, ...lanes.keys()], { host, to, why }),
    ceilingOf: (name) => {
      const ceiling = names.isRuled(name) ? Dial.ceilingOf(dial, hostIn(name)) : {}
      return Object.keys(ceiling).length === 0 ? undefined : ceiling
    },
    steeredHost: (host, lifts) => {
      const gate = hosts.get(host)
      gate?.repace(Dial.ceilingOf(dial, host))
      if (lifts) gate?.lift()
    }
  })
}

/** Takes in what an answer taught: its lane, or where it speaks of more than that all whom it speaks of. */
const hear = ({ dial, hosts, lanes, names }: State, lane: Lane, answer: Answer, clock: Clock.Clock): void => {
  const wider = Dial.observe(dial, lane, answer, clock)
  if (wider === undefined) return
  const host = hostIn(answer.lane)
  // where lanes do not tell credentials apart, it may be anybody's
  const owner = wider.lanes === "host" ? "" : (names.ownerOf(answer.lane) ?? "")
  const now = monotonic(clock)
  hosts.get(host)?.hold(owner, now + (wider.lesson.hold ?? 0))
  dial.paces.hold(host, owner, wider.lesson, clock.currentTimeMillisUnsafe())
  for (const [name, known] of lanes) if (hostIn(name) === host) known.lane.changed(now)
}

const obeying = (self: State): Obedience.Obeying => ({
  dial: self.dial,
  on: (name, use) => Effect.flatten(withLane(self, name, use))
})

/** What is known of a lane, with what holds for more than that. */
const pacesOf = ({ dial: { paces }, names }: State, lane: string): ReadonlyArray<StoredPace> => {
  const host = hostIn(lane)
  if (host === lane) return paces.of(lane)
  const owners = new Set(["", names.ownerOf(lane)])
  return [...paces.of(lane), ...paces.of(host).filter(({ account }) => owners.has(Paces.ownerIn(account) ?? none))]
}

/** Nobody's name. */
const none = "\0"

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

const open = (self: State, host: string, clock: Clock.Clock): Known => {
  const { paces, settings } = self.dial
  const now = clock.currentTimeMillisUnsafe()
  const made = new Known(self, host, clock)
  const { lane } = made
  self.lanes.set(host, made)
  if (steeredOf(settings, host).paused !== undefined) lane.pause(true, monotonic(clock))
  for (const { account, heldUntil = 0 } of paces.of(host)) {
    if (heldUntil > now && Paces.ownerIn(account) === undefined) lane.hold(account, monotonic(clock) + heldUntil - now)
  }
  lane.wake(undefined)
  return made
}

/** What holds for all lanes of a host, found or made with what is kept of it. */
const gateOf = ({ dial, hosts, names }: State, host: string, clock: Clock.Clock): HostGate.HostGate => {
  const known = hosts.get(host)
  if (known !== undefined) return known
  const ownerOf = (key: string) => names.ownerOf(keyedLane(host, key)) ?? none
  const made = HostGate.make(Dial.ceilingOf(dial, host), { burst: dial.options.burst ?? 1, ownerOf })
  hosts.set(host, made)
  const now = clock.currentTimeMillisUnsafe()
  for (const { account, heldUntil = 0 } of dial.paces.of(host)) {
    const owner = Paces.ownerIn(account)
    if (owner !== undefined && heldUntil > now) made.hold(owner, monotonic(clock) + heldUntil - now)
  }
  return made
}

const load = ({ fork, store }: State, host: string, known: Known, now: number): Readonly<Record<string, string>> => {
  if (!known.isCounting && now - known.countedAt > countedFor(known.depth)) {
    known.countedAt = now
    known.isCounting = true
    const count = Effect.map(store.depth(host), (depth) => void (known.depth = depth))
    // it is told again with the next call
    fork(
      Effect.ensuring(
        Effect.ignore(count),
        Effect.sync(() => void (known.isCounting = false))
      )
    )
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
const tidy = Effect.fnUntraced(function* ({ dial, hosts, lanes, names, store }: State) {
  while (true) {
    yield* Effect.sleep(tidyEvery)
    const now = monotonic(yield* Clock.Clock)
    dial.paces.forget(yield* Clock.currentTimeMillis)
    Breaker.forget(dial.breakers, now)
    for (const [host, { lane, usedAt }] of lanes) {
      if (now - usedAt < Duration.toMillis(tidyEvery) || !lane.idle(now)) continue
      lanes.delete(host)
      lane.part()
    }
    for (const [host, gate] of hosts) if (gate.isQuiet(now)) hosts.delete(host)
    // a count that fails forgets nothing
    const counted = yield* Effect.option(store.laneCounts)
    if (Option.isNone(counted)) continue
    const used = new Set([...lanes.keys(), ...counted.value.map(([lane]) => lane), ...dial.paces.lanes()])
    names.keep((lane) => used.has(lane))
  }
})

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
