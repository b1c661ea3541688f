/**
 * Whose turn it is in a lane: permits as the gate allows, to those that wait first and then to new jobs.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Ticket } from "../store/JobRecords.ts"
import * as Accounts from "./Accounts.ts"
import type { Account, Queue, Waiter } from "./Accounts.ts"
import * as Gate from "./Gate.ts"
import { gateOf, isLeftAlone, type LaneState } from "./LaneState.ts"
import * as Pages from "./Pages.ts"
import type { Permit } from "./Permit.ts"

/** Grants permits until it is interrupted. */
export const run = Effect.fnUntraced(function* (self: LaneState): Effect.fn.Return<never> {
  while (true) {
    self.signal.closeUnsafe()
    self.starved = false
    self.askAgainAt = Number.POSITIVE_INFINITY
    if (self.anyQueue) yield* findQueues(self)
    const next = Math.min(yield* grant(self), self.askAgainAt)
    // whole milliseconds: timers know no others
    yield* next === Number.POSITIVE_INFINITY
      ? self.signal.await
      : Effect.raceFirst(self.signal.await, Effect.sleep(Math.max(0, Math.ceil(next - (yield* monotonicMillis)))))
  }
})

/** Waits for a permit; the wait alone can be interrupted, which gives the place up. */
export const acquire = (self: LaneState, name: string, jobId: string | undefined): Effect.Effect<Permit> =>
  Clock.clockWith((clock) => {
    const account = self.accounts.get(name)
    const now = monotonic(clock)
    if (!self.paused && isLeftAlone(self, account) && Gate.opensAt(gateOf(self, account)) <= now) {
      return Effect.succeed(permit(self, account, now))
    }
    const waiter: Waiter = { granted: Deferred.makeUnsafe(), jobId }
    account.waiters.push(waiter)
    self.signal.openUnsafe()
    return Effect.onInterrupt(Effect.interruptible(Deferred.await(waiter.granted)), () => {
      const place = account.waiters.indexOf(waiter)
      if (place < 0) {
        // granted in the same moment: nobody else will give it back
        return Effect.flatMap(Deferred.await(waiter.granted), ({ release }) => release)
      }
      account.waiters.splice(place, 1)
      self.signal.openUnsafe()
      return Effect.void
    })
  })

/** Asks the store which queues have jobs. */
const findQueues = Effect.fnUntraced(function* (self: LaneState) {
  self.anyQueue = false
  const names = yield* Effect.result(self.options.queues)
  if (names._tag === "Success") {
    for (const name of names.success) self.accounts.queue(name).more = true
    return
  }
  self.anyQueue = true
  self.askAgainAt = (yield* monotonicMillis) + Pages.askAgainAfter
  yield* Effect.logWarning(`a lane cannot read its queues: ${names.failure.message}`)
})

/** Lets everybody through who may go now, in turns; answers when to look again. */
const grant = Effect.fnUntraced(function* (self: LaneState) {
  const { accounts } = self
  let next = Number.POSITIVE_INFINITY
  let passed = 0
  while (passed < accounts.size() && !self.paused) {
    const account = accounts.first()
    if (account === undefined) break
    const now = yield* monotonicMillis
    const opensAt = Gate.opensAt(gateOf(self, account))
    if (opensAt > now && Accounts.isNeeded(account)) {
      next = Math.min(next, opensAt)
      // the host's gate is everybody's: whose turn it is keeps it
      if (!self.accountQueues) break
    }
    accounts.rotate()
    if (opensAt <= now && (yield* serve(self, account))) passed = 0
    else if (Accounts.isNeeded(account) || (self.accountQueues && !Gate.isQuiet(account.gate, now))) passed++
    else accounts.drop(account)
  }
  return next
})

/** Gives an account its turn; answers whether it made use of it. */
const serve = Effect.fnUntraced(function* (self: LaneState, account: Account) {
  const { options, pages, starting } = self
  const hasRoom = options.room.left() > 0
  if (!hasRoom) self.starved = true
  const found = account.waiters.length > 0 || !hasRoom ? undefined : yield* pages.next(account, yield* monotonicMillis)
  const queue = found?.queue
  self.askAgainAt = Math.min(self.askAgainAt, found?.askAgainAt ?? Number.POSITIVE_INFINITY)
  // reading takes a while, in which the gate may have closed or somebody may have come to wait
  const now = yield* monotonicMillis
  if (self.paused || Gate.opensAt(gateOf(self, account)) > now) return false
  const waiter = account.waiters.shift()
  if (waiter !== undefined) {
    Deferred.doneUnsafe(waiter.granted, Effect.succeed(permit(self, account, now)))
    return true
  }
  const [ticket, ...rest] = queue?.tickets ?? []
  if (queue === undefined || ticket === undefined) return false
  queue.tickets = rest
  Accounts.rotate(account, queue)
  starting.add(ticket.id)
  options.room.take()
  yield* Effect.forkChild(startOne(self, queue, ticket, permit(self, account, now)))
  return true
})

const startOne = (self: LaneState, queue: Queue, ticket: Ticket, granted: Permit): Effect.Effect<void> =>
  self.options.start(ticket, granted).pipe(
    Effect.catch((error) =>
      Effect.gen(function* () {
        yield* granted.release
        // found anew, since a queue that has run dry is forgotten
        const again = self.accounts.queue(queue.name)
        again.more = true
        again.tickets = []
        again.restsUntil = (yield* monotonicMillis) + Pages.askAgainAfter
        yield* Effect.logWarning(`job ${ticket.id} cannot be started: ${error.message}`)
      })
    ),
    Effect.ensuring(
      Effect.sync(() => {
        self.starting.delete(ticket.id)
        self.signal.openUnsafe()
      })
    )
  )

const permit = (self: LaneState, account: Account, now: number): Permit => {
  // both know of every call, so that the one is right when the upstream makes it count instead of the other
  const own = self.accountQueues
  account.gate = own ? Gate.pass(account.gate, now) : Gate.note(account.gate, now)
  self.gate = own ? Gate.note(self.gate, now) : Gate.pass(self.gate, now)
  const call = self.calls.begin(account.name, now)
  let released = false
  return {
    depart: own ? account.departures.next : self.departures.next,
    release: Clock.clockWith((clock) => {
      if (released) return Effect.void
      released = true
      self.calls.end(call, monotonic(clock))
      self.gate = Gate.leave(self.gate)
      // it may have been dropped and made anew meanwhile
      const known = self.accounts.find(call.account)
      if (known !== undefined) known.gate = Gate.leave(known.gate)
      if (!isLeftAlone(self, account)) self.signal.openUnsafe()
      return Effect.void
    })
  }
}

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
