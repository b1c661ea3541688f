/**
 * The pace of one upstream host.
 *
 * A lane grants permits, one per exchange, as its gate allows. Whoever is already running waits in memory; jobs that
 * have not started wait in the store and are paged in by id, a handful per account, so a backlog of a million costs no
 * memory. Accounts take turns. Where the upstream enabled account queues each account has a gate of its own, and the
 * host's stays open.
 *
 * A lane never calls anybody and decides nothing but who is next.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Gate from "./Gate.ts"
import type { Lesson } from "./Learning.ts"
import type { Ticket } from "./JobStore.ts"

/**
 * A right to one exchange. It is given back once, when the exchange has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Permit {
  readonly release: Effect.Effect<void>
}

/**
 * What a lane needs from its surroundings.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneOptions {
  readonly pace: Gate.Pace
  readonly burst: number
  /** The accounts that have queued jobs. */
  readonly accounts: Effect.Effect<ReadonlyArray<string>>
  /** The first queued jobs of an account. */
  readonly page: (account: string, limit: number) => Effect.Effect<ReadonlyArray<Ticket>>
  /** Starts a job with its first permit. Answers once the job is no longer queued. */
  readonly start: (ticket: Ticket, permit: Permit) => Effect.Effect<void>
  /** How many more jobs the dam may have running. */
  readonly room: () => number
}

/**
 * What a lane shows of itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneView {
  readonly pace: Gate.Pace
  readonly open: number
  readonly waiting: number
  readonly accountQueues: boolean
  readonly paused: boolean
  /** Milliseconds until the next permit; 0 when one is free, `Infinity` while all are out or the lane is paused. */
  readonly opensIn: number
  /** Milliseconds the lane is still held for. */
  readonly heldFor: number
}

/**
 * One host's lane.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lane {
  /** Grants permits until it is interrupted. */
  readonly run: Effect.Effect<never>
  /** Waits for a permit; interruption gives the place up. */
  readonly acquire: (account: string) => Effect.Effect<Permit>
  /** Says that jobs of this account, or of any, may have been queued. */
  readonly wake: (account: string | undefined) => void
  /** Takes in what an answer taught. */
  readonly learn: (account: string, lesson: Lesson, now: number) => void
  readonly pause: (paused: boolean) => void
  readonly view: (now: number) => LaneView
  /** Nothing runs, waits or is queued here as far as is known. */
  readonly idle: () => boolean
}

interface Account {
  readonly name: string
  readonly waiters: Array<Deferred.Deferred<Permit>>
  tickets: ReadonlyArray<Ticket>
  /** Whether the store may have more than what is in `tickets`. */
  more: boolean
  gate: Gate.Gate
}

/** How many ids of one account are in memory at once. */
const pageSize = 32

/**
 * Makes a lane. It does nothing until `run` is forked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: LaneOptions): Lane => {
  const accounts = new Map<string, Account>()
  const starting = new Set<string>()
  const signal = Latch.makeUnsafe(false)
  let ring: Array<Account> = []
  let gate = Gate.make(options.pace, options.burst)
  let accountQueues = false
  let paused = false
  let anyAccount = true

  const account = (name: string): Account => {
    const known = accounts.get(name)
    if (known !== undefined) return known
    const made: Account = { name, waiters: [], tickets: [], more: false, gate: Gate.make(gate.pace, options.burst) }
    accounts.set(name, made)
    ring.push(made)
    return made
  }

  const gateOf = (self: Account): Gate.Gate => (accountQueues ? self.gate : gate)
  const setGate = (self: Account, next: Gate.Gate): void => {
    if (accountQueues) self.gate = next
    else gate = next
  }

  const permit = (self: Account, now: number): Permit => {
    const own = accountQueues
    setGate(self, Gate.pass(gateOf(self), now))
    let released = false
    return {
      release: Effect.sync(() => {
        if (released) return
        released = true
        // given back where it was taken, even if the upstream changed its mind in between
        if (own) self.gate = Gate.leave(self.gate)
        else gate = Gate.leave(gate)
        signal.openUnsafe()
      })
    }
  }

  /** An account's own gate is kept while it says something that a new one would not. */
  const taught = (self: Account, now: number): boolean =>
    self.gate.open > 0 ||
    self.gate.heldUntil > now ||
    self.gate.dueAt > now ||
    self.gate.pace.rps !== gate.pace.rps ||
    self.gate.pace.maxConcurrent !== gate.pace.maxConcurrent

  /** Lets everybody through who may go now, in turns; answers when to look again. */
  const grant = Effect.fnUntraced(function* (now: number) {
    let next = Number.POSITIVE_INFINITY
    let idleTurns = 0
    while (idleTurns < ring.length && !paused) {
      const self = ring.shift()
      if (self === undefined) break
      ring.push(self)
      idleTurns++
      const waiter = self.waiters[0]
      const ticket = waiter === undefined && options.room() > starting.size ? self.tickets[0] : undefined
      if (waiter === undefined && ticket === undefined) continue
      const opensAt = Gate.opensAt(gateOf(self))
      if (opensAt > now) {
        next = Math.min(next, opensAt)
        continue
      }
      idleTurns = 0
      if (waiter !== undefined) {
        self.waiters.shift()
        Deferred.doneUnsafe(waiter, Effect.succeed(permit(self, now)))
      } else if (ticket !== undefined) {
        self.tickets = self.tickets.slice(1)
        starting.add(ticket.id)
        yield* Effect.forkChild(
          Effect.ensuring(
            options.start(ticket, permit(self, now)),
            Effect.sync(() => {
              starting.delete(ticket.id)
              signal.openUnsafe()
            })
          )
        )
      }
    }
    return next
  })

  const refill = Effect.fnUntraced(function* (now: number) {
    if (anyAccount) {
      anyAccount = false
      for (const name of yield* options.accounts) account(name).more = true
    }
    for (const self of ring) {
      if (!self.more || self.tickets.length > 0) continue
      // cleared first: a wake that comes during the read sets it again
      self.more = false
      const limit = pageSize + starting.size
      const page = yield* options.page(self.name, limit)
      self.tickets = page.filter(({ id }) => !starting.has(id))
      if (page.length === limit) self.more = true
    }
    ring = ring.filter((self) => {
      const needed =
        self.waiters.length > 0 || self.tickets.length > 0 || self.more || (accountQueues && taught(self, now))
      if (!needed) accounts.delete(self.name)
      return needed
    })
  })

  const run = Effect.gen(function* () {
    while (true) {
      signal.closeUnsafe()
      yield* refill(yield* monotonicMillis)
      const now = yield* monotonicMillis
      const next = yield* grant(now)
      // an account that ran dry may have more in the store
      if (ring.some((self) => self.more && self.tickets.length === 0)) continue
      yield* next === Number.POSITIVE_INFINITY
        ? signal.await
        : Effect.raceFirst(signal.await, Effect.sleep(Math.max(0, next - now)))
    }
  })

  const acquire = (name: string): Effect.Effect<Permit> =>
    Effect.suspend(() => {
      const self = account(name)
      const waiter = Deferred.makeUnsafe<Permit>()
      self.waiters.push(waiter)
      signal.openUnsafe()
      return Effect.onInterrupt(Deferred.await(waiter), () => {
        const place = self.waiters.indexOf(waiter)
        if (place >= 0) {
          self.waiters.splice(place, 1)
          return Effect.void
        }
        // granted in the same moment: nobody else will give it back
        return Effect.flatMap(Deferred.await(waiter), ({ release }) => release)
      })
    })

  return {
    run,
    acquire,
    wake: (name) => {
      if (name === undefined) anyAccount = true
      else account(name).more = true
      signal.openUnsafe()
    },
    learn: (name, lesson, now) => {
      if (lesson.accountQueues !== undefined) accountQueues = lesson.accountQueues
      const self = account(name)
      let next = gateOf(self)
      if (lesson.rps !== undefined) next = Gate.learn(next, { rps: lesson.rps }, now)
      if (lesson.maxConcurrent !== undefined) next = Gate.learn(next, { maxConcurrent: lesson.maxConcurrent }, now)
      if (lesson.hold !== undefined) next = Gate.hold(next, now + lesson.hold)
      setGate(self, next)
      signal.openUnsafe()
    },
    pause: (value) => {
      paused = value
      signal.openUnsafe()
    },
    view: (now) => ({
      pace: gate.pace,
      open: gate.open + (accountQueues ? sum(ring.map((self) => self.gate.open)) : 0),
      waiting: sum(ring.map((self) => self.waiters.length)),
      accountQueues,
      paused,
      opensIn: paused ? Number.POSITIVE_INFINITY : Math.max(0, Gate.opensAt(gate) - now),
      heldFor: Math.max(0, gate.heldUntil - now)
    }),
    idle: () => gate.open === 0 && starting.size === 0 && ring.length === 0 && !anyAccount
  }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
