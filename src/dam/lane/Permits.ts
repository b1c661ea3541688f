/**
 * Permits for calls that somebody else makes: programs that share a pace without giving their calls away.
 *
 * Whoever asks waits for its turn in the lane of its call like a call of the dam's own, and holds a lease on what it gets.
 * A lease that ends counts as a call that was sent: nobody can tell that it was not. Permits are kept in memory, so that a
 * dam that starts again knows none; what it has learnt of the pace it knows.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Response } from "../../step/Reply.ts"
import type { Draw } from "../../step/StepModel.ts"
import { IsCopy } from "../store/StoreError.ts"
import { byHost, type LaneNames } from "./LaneNames.ts"
import type { LaneRouter } from "./LaneRouter.ts"
import type { Permit } from "./Permit.ts"

/**
 * There is no such permit of this customer: it never was, was given back, its lease has ended, or the dam has started anew.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownPermit extends Schema.TaggedError<UnknownPermit>()("UnknownPermit", {}) {
  override get message() {
    return "there is no such permit; its lease may have ended, or the dam have started anew: ask for another"
  }
}

/**
 * The turn has not come within the time that was given to it; the place in the lane is given up.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoTurn extends Schema.TaggedError<NoTurn>()("NoTurn", {
  lane: Schema.String,
  /** After so many milliseconds it is worth asking again. */
  retryAfter: Schema.Number
}) {
  override get message() {
    return `it is not the turn of this call in the lane ${this.lane} yet`
  }
}

/**
 * The customer holds and waits for as many permits as it may.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManyPermits extends Schema.TaggedError<TooManyPermits>()("TooManyPermits", {
  limit: Schema.Number,
  current: Schema.Number
}) {
  override get message() {
    return `${this.current} permits are held or waited for, and ${this.limit} may be; report calls that have ended`
  }
}

/**
 * What is asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask {
  readonly customer: string
  readonly lane: string
  readonly account: string
  /** What the call draws on beside the pace of its lane: limits that there are. */
  readonly draws: ReadonlyArray<Draw>
  /** How long to wait for the turn, in milliseconds. */
  readonly waitMillis: number
  readonly leaseMillis: number
  /** Whether the call is sent as soon as there is a permit: it departs with the grant. */
  readonly departs: boolean
}

/**
 * Whose permit is meant.
 *
 * @category models
 * @since 0.1.0
 */
export interface Holder {
  readonly customer: string
  readonly id: string
}

/**
 * What somebody holds, and until when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lease {
  readonly id: string
  readonly lane: string
  readonly leaseMillis: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Whether the call may be sent, and counts as sent. */
  readonly departed: boolean
}

/**
 * What became of a call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  /** `undefined` where there was none. */
  readonly response: Response | undefined
  /** When the call was sent, in epoch milliseconds by the clock of whoever sent it; `undefined`: when it departed. */
  readonly sentAt: number | undefined
}

/**
 * How a lane stands after a permit was given back.
 *
 * @category models
 * @since 0.1.0
 */
export interface After {
  readonly lane: string
  /** Milliseconds until the lane lets this account through again. */
  readonly heldMillis: number
}

/**
 * Permits of all customers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Permits {
  /** The lane of a call, by what the limits of its host belong to. */
  readonly laneOf: LaneNames["laneOf"]
  /** Waits for a permit; whoever is interrupted gives up its place, or what it was granted in that moment. */
  readonly acquire: (ask: Ask) => Effect.Effect<Lease, IsCopy | NoTurn | TooManyPermits>
  /** Begins the lease anew, as long as it was or as is said. */
  readonly renew: (holder: Holder, leaseMillis?: number) => Effect.Effect<Lease, UnknownPermit>
  /** Waits until the call may be sent, and takes that moment, once. The lease does not end meanwhile, and begins anew. */
  readonly depart: (holder: Holder, waitMillis: number) => Effect.Effect<Lease, NoTurn | UnknownPermit>
  /** Has the lane hear what the call was answered, and gives the permit back. The call counts as sent. */
  readonly report: (holder: Holder, report: Report) => Effect.Effect<After, UnknownPermit>
  /** Gives it back. Where nothing departed, its turn goes to the next. */
  readonly giveBack: (holder: Holder) => Effect.Effect<After, UnknownPermit>
  /** How many are held in a lane. */
  readonly held: (lane: string) => number
}

/**
 * What permits are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface PermitsOptions {
  readonly lanes: Pick<LaneRouter, "acquire" | "heldFor" | "observe">
  /** How lanes are named. Defaults to by their hosts. */
  readonly names?: Pick<LaneNames, "laneOf"> | undefined
  readonly newId: Effect.Effect<string>
  /** How many a customer may hold or wait for. */
  readonly most: number
  /** Since when the database is a copy: beside the original, it lets nobody through. Defaults to never. */
  readonly copiedAt?: number | undefined
}

/** A wait is at least so long in milliseconds: a lane that was at rest asks the store who else is there. */
const leastWait = 50

/** How often leases are looked at, in milliseconds: they end up to so much later than they say, if nobody asks. */
const sweepEvery = 1000

/** After how many milliseconds a turn is asked for again at the soonest, and at the latest. */
const soonest = 1000
const latest = 86_400_000

interface Held {
  readonly id: string
  readonly ask: Ask
  readonly permit: Permit
  /** Moments are monotonic milliseconds. */
  readonly grantedAt: number
  leaseMillis: number
  until: number
  sentAt: number | undefined
  /** Requests that wait for its departure. */
  waits: number
}

interface State extends PermitsOptions {
  readonly held: Map<string, Held>
  readonly byCustomer: Map<string, number>
  readonly byLane: Map<string, number>
  /** Open while there is any. */
  readonly any: Latch.Latch
}

/**
 * Makes it with no permits; leases end by themselves until the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: PermitsOptions
): Effect.fn.Return<Permits, never, Scope.Scope> {
  const self: State = {
    ...options,
    held: new Map(),
    byCustomer: new Map(),
    byLane: new Map(),
    any: Latch.makeUnsafe(false)
  }
  yield* Effect.forkScoped(sweep(self))
  return {
    laneOf: (options.names ?? byHost).laneOf,
    acquire: (ask) => acquire(self, ask),
    renew: (holder, leaseMillis) => Effect.flatMap(find(self, holder), (held) => renewed(held, leaseMillis)),
    depart: (holder, waitMillis) =>
      Effect.flatMap(find(self, holder), (held) => Effect.andThen(depart(self, held, waitMillis), renewed(held))),
    report: (holder, report) => Effect.flatMap(find(self, holder), (held) => heard(self, held, report)),
    giveBack: (holder) =>
      Effect.flatMap(find(self, holder), (held) => Effect.andThen(end(self, held), afterwards(self, held))),
    held: (lane) => self.byLane.get(lane) ?? 0
  }
})

/** A wait for a turn; what is granted once it is over is nobody's. */
interface Turn {
  held: Held | undefined
  isOver: boolean
}

const acquire = (self: State, ask: Ask): Effect.Effect<Lease, IsCopy | NoTurn | TooManyPermits> =>
  Effect.suspend((): Effect.Effect<Lease, IsCopy | NoTurn | TooManyPermits> => {
    const { byCustomer, copiedAt, lanes, most } = self
    if (copiedAt !== undefined) return Effect.fail(new IsCopy({ copiedAt }))
    const current = byCustomer.get(ask.customer) ?? 0
    if (current >= most) return Effect.fail(new TooManyPermits({ limit: most, current }))
    const turn: Turn = { held: undefined, isOver: false }
    count(byCustomer, ask.customer, 1)
    const granted = Effect.flatMap(lanes.acquire(ask.lane, ask.account, { draws: ask.draws }), (permit) =>
      hold(self, turn, ask, permit)
    )
    const begun = Effect.flatMap(Effect.uninterruptible(granted), (held) =>
      held === undefined ? Effect.never : Effect.as(ask.departs ? departure(self, held) : Effect.void, held)
    )
    return waited(self, ask, begun, ask.waitMillis).pipe(
      Effect.flatMap(Option.match({ onNone: () => noTurn(self, ask), onSome: (held) => renewed(held) })),
      Effect.onExit((exit) => {
        turn.isOver = true
        if (exit._tag === "Success") return Effect.void
        if (turn.held !== undefined) return end(self, turn.held)
        return Effect.sync(() => count(byCustomer, ask.customer, -1))
      })
    )
  })

const hold = Effect.fnUntraced(function* (self: State, turn: Turn, ask: Ask, permit: Permit) {
  if (turn.isOver) return yield* Effect.as(permit.release, undefined)
  const now = yield* monotonicMillis
  const held: Held = {
    id: `permit_${(yield* self.newId).replace(/^job_/, "")}`,
    ask,
    permit,
    grantedAt: now,
    leaseMillis: ask.leaseMillis,
    until: now + ask.leaseMillis,
    sentAt: undefined,
    waits: 0
  }
  turn.held = held
  self.held.set(held.id, held)
  count(self.byLane, ask.lane, 1)
  self.any.openUnsafe()
  return held
})

/** Waits no longer than so many milliseconds; where the lane is held for longer, not at all. */
const waited = <A>(
  { lanes }: State,
  { account, lane }: Ask,
  turn: Effect.Effect<A>,
  millis: number
): Effect.Effect<Option.Option<A>> =>
  Effect.flatMap(lanes.heldFor(lane, account), (held) =>
    held > Math.max(leastWait, millis) ? Effect.succeedNone : Effect.timeoutOption(turn, Math.max(leastWait, millis))
  )

const depart = (self: State, held: Held, waitMillis: number): Effect.Effect<void, NoTurn | UnknownPermit> =>
  Effect.flatMap(
    held.sentAt === undefined ? waited(self, held.ask, departure(self, held), waitMillis) : Effect.succeedNone,
    (): Effect.Effect<void, NoTurn | UnknownPermit> => {
      if (held.sentAt !== undefined) return Effect.void
      return isHeld(self, held) ? noTurn(self, held.ask) : Effect.fail(new UnknownPermit())
    }
  )

/** Asked for twice, it departs once: whoever has missed the answer asks again. */
const departure = (self: State, held: Held): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (held.sentAt !== undefined) return Effect.void
    const isWanted = () => isHeld(self, held) && held.sentAt === undefined
    held.waits++
    return Effect.ensuring(
      Effect.flatMap(held.permit.depart({ isWanted }), (departed) =>
        departed ? Effect.map(monotonicMillis, (now) => void (held.sentAt = now)) : Effect.void
      ),
      Effect.map(monotonicMillis, (now) => {
        held.waits--
        held.until = now + held.leaseMillis
      })
    )
  })

const heard = Effect.fnUntraced(function* (self: State, held: Held, { response, ...report }: Report) {
  const { ask, grantedAt, permit, sentAt } = held
  const clock = yield* Clock.Clock
  const now = monotonic(clock)
  // the clocks of two machines differ: what it says counts between what is known for sure
  const said = report.sentAt === undefined ? undefined : now - (clock.currentTimeMillisUnsafe() - report.sentAt)
  const at = Math.min(now, Math.max(sentAt ?? grantedAt, said ?? sentAt ?? grantedAt))
  yield* permit.sent
  if (response !== undefined) {
    yield* permit.settle(response)
    yield* self.lanes.observe({ lane: ask.lane, account: ask.account, response, jobId: undefined, sentAt: at })
  }
  yield* end(self, held)
  return yield* afterwards(self, held)
}, Effect.uninterruptible)

const afterwards = ({ lanes }: State, { ask: { account, lane } }: Held): Effect.Effect<After> =>
  Effect.map(lanes.heldFor(lane, account), (millis) => ({ lane, heldMillis: Math.ceil(Math.min(latest, millis)) }))

const noTurn = ({ lanes }: State, { account, lane }: Ask): Effect.Effect<never, NoTurn> =>
  Effect.flatMap(lanes.heldFor(lane, account), (millis) =>
    Effect.fail(new NoTurn({ lane, retryAfter: Math.ceil(Math.min(latest, Math.max(soonest, millis))) }))
  )

const find = Effect.fnUntraced(function* (self: State, { customer, id }: Holder) {
  const held = self.held.get(id)
  // a permit of somebody else is as unknown as one that never was
  if (held === undefined || held.ask.customer !== customer) return yield* new UnknownPermit()
  if (!isOver(held, yield* monotonicMillis)) return held
  yield* lapse(self, held)
  return yield* new UnknownPermit()
})

const renewed = (held: Held, leaseMillis: number = held.leaseMillis): Effect.Effect<Lease> =>
  Clock.clockWith((clock) =>
    Effect.sync(() => {
      held.leaseMillis = leaseMillis
      held.until = monotonic(clock) + leaseMillis
      return {
        id: held.id,
        lane: held.ask.lane,
        leaseMillis,
        expiresAt: clock.currentTimeMillisUnsafe() + leaseMillis,
        departed: held.sentAt !== undefined
      }
    })
  )

/** Ends leases that are over; while there is none it stands still. */
const sweep = Effect.fnUntraced(function* (self: State): Effect.fn.Return<never> {
  while (true) {
    yield* self.any.await
    yield* Effect.sleep(sweepEvery)
    const now = yield* monotonicMillis
    for (const held of self.held.values()) if (isOver(held, now)) yield* lapse(self, held)
    if (self.held.size === 0) self.any.closeUnsafe()
  }
})

const lapse = (self: State, held: Held): Effect.Effect<void> =>
  Effect.uninterruptible(Effect.andThen(held.permit.sent, end(self, held)))

const end = (self: State, held: Held): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (!isHeld(self, held)) return Effect.void
    self.held.delete(held.id)
    count(self.byCustomer, held.ask.customer, -1)
    count(self.byLane, held.ask.lane, -1)
    return held.permit.release
  })

const isHeld = (self: State, held: Held): boolean => self.held.get(held.id) === held

const isOver = ({ until, waits }: Held, now: number): boolean => waits === 0 && until <= now

const count = (counts: Map<string, number>, name: string, more: number): void => {
  const next = (counts.get(name) ?? 0) + more
  if (next === 0) counts.delete(name)
  else counts.set(name, next)
}

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
