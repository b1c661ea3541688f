/**
 * The pace of one upstream host.
 *
 * A lane grants permits, one per exchange, as its gate allows. Whoever is already running waits in memory; jobs that
 * have not started wait in the store and are paged in by id, a handful per account, so a backlog of a million costs no
 * memory. Accounts take turns, and of one account those that wait come before new jobs. Where the upstream enabled
 * account queues each account has a gate of its own, and the host's stands open.
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
import type { Ticket } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Accounts from "./Accounts.ts"
import type { Account, Queue, Waiter } from "./Accounts.ts"
import * as LaneCalls from "./Calls.ts"
import * as LaneDepartures from "./Departures.ts"
import * as Pages from "./Pages.ts"
import type { Lesson } from "./Learning.ts"
import type { Permit, Room } from "./Permit.ts"
import type { LaneView, LaneWhy } from "./LaneView.ts"

/**
 * What a lane needs from its surroundings.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneOptions {
  readonly burst: number
  /** The pace of the host, or of one account of it where each has its own. */
  readonly paceOf: (account: string | undefined) => Gate.Pace
  /** Whether the upstream has enabled account queues. Defaults to `false`. */
  readonly accountQueues?: boolean | undefined
  /** The queues that have queued jobs: accounts, and what `queueOf` makes of them. */
  readonly queues: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The first queued jobs of a queue. */
  readonly page: (queue: string, limit: number) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>
  /** Starts a job with its first permit. Answers once the job is no longer queued. */
  readonly start: (ticket: Ticket, permit: Permit) => Effect.Effect<void, StoreError>
  readonly room: Room
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
  /**
   * Waits for a permit. To be called where interruption is off, so that no permit is lost on the way: the wait alone can
   * be interrupted, which gives the place up.
   */
  readonly acquire: (account: string, jobId?: string) => Effect.Effect<Permit>
  /** Says that jobs of this queue may have been queued; of any, where none is named. */
  readonly wake: (queue: string | undefined) => void
  /** Says that there is room for more running jobs, which somebody here waits for. */
  readonly roomLeft: () => void
  /** Takes in what an answer taught. */
  readonly learn: (account: string, lesson: Lesson, now: number) => void
  readonly pause: (paused: boolean) => void
  /** Takes over paces that were changed from outside; `lifts` ends every hold. */
  readonly repace: (lifts: boolean) => void
  /** What decides when a queue of the lane, or a call that waits in it, has its turn. */
  readonly why: (queue: string) => LaneWhy
  /** Accounts that wait, as far as is known. */
  readonly accounts: () => number
  /** The account for which a call of this job waits here. */
  readonly waiting: (jobId: string) => string | undefined
  readonly view: (now: number) => LaneView
  /** Milliseconds for which nothing of the account may be sent. */
  readonly heldFor: (account: string, now: number) => number
  /** Nothing runs, waits or is queued here as far as is known, and a lane made anew would be no slower. */
  readonly idle: (now: number) => boolean
}

/**
 * Makes a lane. It does nothing until `run` is forked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: LaneOptions): Lane => {
  const starting = new Set<string>()
  const signal = Latch.makeUnsafe(false)
  let gate = Gate.make(options.paceOf(undefined), options.burst)
  let accountQueues = options.accountQueues ?? false
  let paused = false
  let anyQueue = true
  let askAgainAt = Number.POSITIVE_INFINITY
  let starved = false
  let ignored = 0
  const calls = LaneCalls.make()
  const accounts = Accounts.make((name) => ({
    ...Gate.make(options.paceOf(name), options.burst),
    open: calls.since(name).length
  }))
  const departures = LaneDepartures.make(
    () => gate,
    (it) => void (gate = it)
  )

  const pages = Pages.make(options.page, {
    starting,
    rps: () => gate.pace.rps,
    queues: () => accounts.size(),
    read: () => signal.openUnsafe()
  })

  const gateOf = (self: Account): Gate.Gate => (accountQueues ? self.gate : gate)

  const permit = (self: Account, now: number): Permit => {
    // both know of every call, so that the one is right when the upstream makes it count instead of the other
    const own = accountQueues
    self.gate = own ? Gate.pass(self.gate, now) : Gate.note(self.gate, now)
    gate = own ? Gate.note(gate, now) : Gate.pass(gate, now)
    const call = calls.begin(self.name, now)
    let released = false
    return {
      depart: own ? self.departures.next : departures.next,
      release: Clock.clockWith((clock) => {
        if (released) return Effect.void
        released = true
        calls.end(call, Number(clock.monotonicTimeNanosUnsafe()) / 1e6)
        gate = Gate.leave(gate)
        // it may have been dropped and made anew meanwhile
        const known = accounts.find(call.account)
        if (known !== undefined) known.gate = Gate.leave(known.gate)
        if (!isLeftAlone(self)) signal.openUnsafe()
        return Effect.void
      })
    }
  }

  /** Whether nobody has a turn here who would have to be looked for. */
  const isLeftAlone = (self: Account): boolean =>
    !anyQueue && accounts.size() === 1 && accounts.find(self.name) === self && !Accounts.isNeeded(self)

  const startOne = (queue: Queue, ticket: Ticket, granted: Permit): Effect.Effect<void> =>
    options.start(ticket, granted).pipe(
      Effect.catch((error) =>
        Effect.gen(function* () {
          yield* granted.release
          // found anew, since a queue that has run dry is forgotten
          const again = accounts.queue(queue.name)
          again.more = true
          again.tickets = []
          again.restsUntil = (yield* monotonicMillis) + Pages.askAgainAfter
          yield* Effect.logWarning(`job ${ticket.id} cannot be started: ${error.message}`)
        })
      ),
      Effect.ensuring(
        Effect.sync(() => {
          starting.delete(ticket.id)
          signal.openUnsafe()
        })
      )
    )

  /** Gives an account its turn; answers whether it made use of it. */
  const serve = Effect.fnUntraced(function* (self: Account) {
    const hasRoom = options.room.left() > 0
    if (!hasRoom) starved = true
    const found = self.waiters.length > 0 || !hasRoom ? undefined : yield* pages.next(self, yield* monotonicMillis)
    const queue = found?.queue
    askAgainAt = Math.min(askAgainAt, found?.askAgainAt ?? Number.POSITIVE_INFINITY)
    // reading takes a while, in which the gate may have closed or somebody may have come to wait
    const now = yield* monotonicMillis
    if (paused || Gate.opensAt(gateOf(self)) > now) return false
    const waiter = self.waiters.shift()
    if (waiter !== undefined) {
      Deferred.doneUnsafe(waiter.granted, Effect.succeed(permit(self, now)))
      return true
    }
    const [ticket, ...rest] = queue?.tickets ?? []
    if (queue === undefined || ticket === undefined) return false
    queue.tickets = rest
    Accounts.rotate(self, queue)
    starting.add(ticket.id)
    options.room.take()
    yield* Effect.forkChild(startOne(queue, ticket, permit(self, now)))
    return true
  })

  /** Lets everybody through who may go now, in turns; answers when to look again. */
  const grant = Effect.fnUntraced(function* () {
    let next = Number.POSITIVE_INFINITY
    let passed = 0
    while (passed < accounts.size() && !paused) {
      const self = accounts.first()
      if (self === undefined) break
      const now = yield* monotonicMillis
      const opensAt = Gate.opensAt(gateOf(self))
      if (opensAt > now && Accounts.isNeeded(self)) {
        next = Math.min(next, opensAt)
        // the host's gate is everybody's: whose turn it is keeps it
        if (!accountQueues) break
      }
      accounts.rotate()
      if (opensAt <= now && (yield* serve(self))) passed = 0
      else if (Accounts.isNeeded(self) || (accountQueues && !Gate.isQuiet(self.gate, now))) passed++
      else accounts.drop(self)
    }
    return next
  })

  const run = Effect.gen(function* () {
    while (true) {
      signal.closeUnsafe()
      starved = false
      askAgainAt = Number.POSITIVE_INFINITY
      if (anyQueue) {
        anyQueue = false
        const names = yield* Effect.result(options.queues)
        if (names._tag === "Failure") {
          anyQueue = true
          askAgainAt = (yield* monotonicMillis) + Pages.askAgainAfter
          yield* Effect.logWarning(`a lane cannot read its queues: ${names.failure.message}`)
        } else for (const name of names.success) accounts.queue(name).more = true
      }
      const next = Math.min(yield* grant(), askAgainAt)
      // whole milliseconds: timers know no others
      yield* next === Number.POSITIVE_INFINITY
        ? signal.await
        : Effect.raceFirst(signal.await, Effect.sleep(Math.max(0, Math.ceil(next - (yield* monotonicMillis)))))
    }
  })

  return {
    run,
    acquire: (name, jobId) =>
      Clock.clockWith((clock) => {
        const self = accounts.get(name)
        const now = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
        if (!paused && isLeftAlone(self) && Gate.opensAt(gateOf(self)) <= now) return Effect.succeed(permit(self, now))
        const waiter: Waiter = { granted: Deferred.makeUnsafe(), jobId }
        self.waiters.push(waiter)
        signal.openUnsafe()
        return Effect.onInterrupt(Effect.interruptible(Deferred.await(waiter.granted)), () => {
          const place = self.waiters.indexOf(waiter)
          if (place < 0) {
            // granted in the same moment: nobody else will give it back
            return Effect.flatMap(Deferred.await(waiter.granted), ({ release }) => release)
          }
          self.waiters.splice(place, 1)
          signal.openUnsafe()
          return Effect.void
        })
      }),
    wake: (name) => {
      if (name === undefined) {
        anyQueue = true
        return signal.openUnsafe()
      }
      const queue = accounts.queue(name)
      // a queue that has something already is waited for as it is; a read under way has cleared `more`
      const isNews = !queue.more && queue.tickets.length === 0
      queue.more = true
      if (isNews) signal.openUnsafe()
    },
    roomLeft: () => {
      if (starved) signal.openUnsafe()
    },
    learn: (name, lesson, now) => {
      ignored += lesson.ignored
      if (lesson.accountQueues !== undefined) accountQueues = lesson.accountQueues
      const taught = (it: Gate.Gate): Gate.Gate => {
        const paced = Gate.learn(it, lesson)
        const { hold, quota } = lesson
        const rationed = quota === undefined ? paced : Gate.ration(paced, quota.left, now + quota.millis, now)
        return hold === undefined ? rationed : Gate.hold(rationed, now + hold)
      }
      if (accountQueues) {
        const self = accounts.get(name)
        self.gate = taught(self.gate)
      } else gate = taught(gate)
      signal.openUnsafe()
    },
    pause: (value) => {
      paused = value
      signal.openUnsafe()
    },
    repace: (lifts) => {
      const anew = (it: Gate.Gate, account: string | undefined): Gate.Gate => {
        const paced = Gate.learn(it, options.paceOf(account))
        return lifts ? { ...paced, heldUntil: Number.NEGATIVE_INFINITY, leftUntil: Number.NEGATIVE_INFINITY } : paced
      }
      if (lifts) accountQueues = false
      gate = anew(gate, undefined)
      for (const self of accounts.all()) self.gate = anew(self.gate, self.name)
      signal.openUnsafe()
    },
    why: (name) => ({
      gate: (accountQueues && accounts.find(name)?.gate) || gate,
      accountQueues,
      paused,
      hasRoom: options.room.left() > 0,
      openSince: calls.since(accountQueues ? accounts.find(name)?.name : undefined),
      callMillis: calls.usual(),
      turns: accounts.all().map((self) => ({
        account: self.name,
        waiting: self.waiters.map(({ jobId }) => jobId),
        queues: self.queues.map((queue) => queue.name)
      }))
    }),
    accounts: () => accounts.all().filter(Accounts.isNeeded).length,
    waiting: (jobId) => accounts.all().find(({ waiters }) => waiters.some((waiter) => waiter.jobId === jobId))?.name,
    view: (now) => ({
      pace: gate.pace,
      open: gate.open,
      waiting: sum(accounts.all().map((self) => self.waiters.length)),
      accountQueues,
      paused,
      opensIn: paused ? Number.POSITIVE_INFINITY : Math.max(0, Gate.opensAt(gate) - now),
      heldFor: Math.max(0, gate.heldUntil - now),
      ignored,
      calls: calls.count()
    }),
    heldFor: (name, now) => Math.max(0, ((accountQueues && accounts.find(name)?.gate) || gate).heldUntil - now),
    idle: (now) =>
      starting.size === 0 &&
      !anyQueue &&
      Gate.isQuiet(gate, now) &&
      accounts.all().every((self) => !Accounts.isNeeded(self) && Gate.isQuiet(self.gate, now))
  }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
