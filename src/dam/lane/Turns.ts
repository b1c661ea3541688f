/**
 * Whose turn it is in a lane: permits as the gate allows, to those that wait first and then to new jobs.
 *
 * Reading takes a while, and anything may happen meanwhile: what was looked at before is looked at again after it, and
 * whoever is waited for while a page is read is told when a permit comes back. So nobody is left who has a turn and is
 * looked for by no one.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Ticket } from "../store/JobRecords.ts"
import * as Accounts from "./Accounts.ts"
import type { Account, Queue, Waiter } from "./Accounts.ts"
import { drawingOf, firstOf, forsake, giveWay } from "./Drawing.ts"
import * as Departures from "./Departures.ts"
import * as Meter from "../../engine/pace/Meter.ts"
import type { Drawing, Taken } from "./LimitBook.ts"
import * as LimitBook from "./LimitBook.ts"
import { isLeftAlone, isLong, opensAt, type LaneState } from "./LaneState.ts"
import * as Pages from "./Pages.ts"
import type { Asking, Going, Permit } from "./Permit.ts"
import * as Shares from "./Shares.ts"
import { atOnce } from "./Signal.ts"

/** Lets everybody through who may go now; answers when to look again, in monotonic milliseconds. */
export const look = (self: LaneState): Effect.Effect<number> =>
  Effect.catchDefect(looking(self), (defect) => afterFault(self, defect))

const looking = Effect.fnUntraced(function* (self: LaneState) {
  self.starved = false
  self.asksHost = false
  self.askAgainAt = Number.POSITIVE_INFINITY
  if (self.anyQueue) yield* findQueues(self)
  const next = Math.min(yield* grant(self), self.askAgainAt)
  if (!self.starved) self.room.pass()
  if (!self.asksHost) self.host.yield()
  return next
})

/** A fault of this program does not stop a lane: what it was reading is read again. */
const afterFault = Effect.fnUntraced(function* (self: LaneState, defect: unknown) {
  yield* Effect.logError("a lane cannot look whose turn it is", defect)
  self.anyQueue = true
  for (const { queues } of self.accounts.all()) for (const queue of queues) queue.isReading = false
  return (yield* monotonicMillis) + Pages.askAgainAfter
})

/** Waits for a permit; the wait alone can be interrupted, which gives the place up. */
export const acquire = (self: LaneState, name: string, asking: Asking = {}): Effect.Effect<Permit> =>
  Clock.clockWith((clock) => {
    const account = self.accounts.get(name)
    const now = monotonic(clock)
    const drawing = drawingOf(self, account, asking.draws)
    const free = atOnce(() => permitIfFree(self, account, drawing, now))
    return free !== undefined
      ? Effect.succeed(free)
      : // whoever does not leave is not sent away
        Effect.flatMap(wait(self, account, { ...asked(asking), drawing, canLeave: false }), (granted) =>
          granted === undefined ? Effect.never : Effect.succeed(granted)
        )
  })

/** The same for somebody who may come back by the store; answers nothing where nobody is let through for long. */
export const seek = (self: LaneState, name: string, { draws, jobId }: Asking): Effect.Effect<Permit | undefined> =>
  Clock.clockWith((clock) => {
    const account = self.accounts.get(name)
    const now = monotonic(clock)
    const drawing = drawingOf(self, account, draws)
    const free = atOnce(() => permitIfFree(self, account, drawing, now))
    if (free !== undefined) return Effect.succeed(free)
    return isLong(self, name, now) ? nobody : wait(self, account, { jobId, isBeside: false, drawing, canLeave: true })
  })

const asked = ({ isBeside = false, jobId }: Asking) => ({ isBeside, jobId })

/** A permit for somebody before whom nobody has a turn, where nothing keeps it back. */
const permitIfFree = (
  self: LaneState,
  account: Account,
  drawing: Drawing | undefined,
  now: number
): Permit | undefined => {
  const isFree =
    !self.paused &&
    isLeftAlone(self, account) &&
    opensAt(self, account, now) <= now &&
    self.host.opensAt() <= now &&
    (drawing === undefined || LimitBook.look(self.limits, drawing, now) <= now)
  return isFree ? permit(self, account, drawing, now) : undefined
}

const wait = (self: LaneState, account: Account, waiting: Omit<Waiter, "granted">) => {
  const waiter: Waiter = { ...waiting, granted: Deferred.makeUnsafe() }
  account.waiters.push(waiter)
  self.signal.openUnsafe()
  return Effect.onInterrupt(Effect.interruptible(Deferred.await(waiter.granted)), () =>
    Clock.clockWith((clock) => {
      const place = account.waiters.indexOf(waiter)
      if (place < 0) {
        // granted in the same moment: nobody else will give it back
        return Effect.flatMap(Deferred.await(waiter.granted), (granted) => granted?.release ?? Effect.void)
      }
      sendAway(account, waiter, monotonic(clock))
      self.signal.openUnsafe()
      return Effect.void
    })
  )
}

const sendAway = (account: Account, waiter: Waiter, now: number): void => {
  account.waiters.splice(account.waiters.indexOf(waiter), 1)
  if (waiter.drawing !== undefined) Shares.withdraw(waiter.drawing.claim, now)
}

/** What holds now is not what held before: whoever waits is looked at again, and sent away where it is for long. */
export const changed = (self: LaneState, now: number): void => {
  for (const account of self.accounts.all()) {
    if (account.waiters.length === 0 || !isLong(self, account.name, now)) continue
    for (const waiter of account.waiters.filter(({ canLeave }) => canLeave)) {
      sendAway(account, waiter, now)
      Deferred.doneUnsafe(waiter.granted, nobody)
    }
  }
  giveWay(self, now)
  Departures.wake(self)
  self.signal.openUnsafe()
}

const nobody = Effect.succeed(undefined)

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
    const at = opensAt(self, account, now)
    if (at > now && Accounts.isNeeded(account)) {
      next = Math.min(next, at)
      // the host's gate is everybody's: whose turn it is keeps it
      if (!self.accountQueues && Meter.opensAt(self.meter, now) > now) break
    }
    if (at <= now && Accounts.isNeeded(account) && self.host.opensAt() > now) {
      self.host.ask()
      self.asksHost = true
      next = Math.min(next, self.host.opensAt())
      break
    }
    const turn = at <= now && Accounts.isNeeded(account) ? yield* serve(self, account) : "nothing"
    // it is looked at again, and keeps its turn
    if (turn === "closed") continue
    if (turn === "served") {
      passed = 0
      accounts.rotate()
    } else if (Accounts.isNeeded(account) || isKept(self, account, now)) {
      passed++
      accounts.pass()
    } else {
      forsake(account, now)
      accounts.drop(account)
    }
  }
  return next
})

/** Whether an account that needs nothing is kept, so that one made anew would be let through no sooner. */
const isKept = ({ accountQueues }: LaneState, { line, meter }: Account, now: number): boolean =>
  Meter.heldUntil(meter) > now || line.length > 0 || (accountQueues && !Meter.isQuiet(meter, now))

/** Gives an account its turn; says whether it made use of it, or the gate has closed meanwhile. */
const serve = Effect.fnUntraced(function* (self: LaneState, account: Account) {
  const before = yield* monotonicMillis
  const found =
    firstWaiter(self, account, before) !== undefined || !asksForRoom(self)
      ? undefined
      : yield* Pages.next(self, account, before, (waiting) => queueOpensAt(self, account, waiting, before))
  if (found !== undefined) self.askAgainAt = Math.min(self.askAgainAt, found.askAgainAt)
  // reading takes a while, in which the gate may have closed, the room be taken, or somebody have come to wait
  const now = yield* monotonicMillis
  return atOnce(() => letThrough(self, account, found?.queue, now))
})

/** Lets the first that waits through, or the first job of a queue. */
const letThrough = (self: LaneState, account: Account, queue: Queue | undefined, now: number) => {
  if (self.paused || opensAt(self, account, now) > now || self.host.opensAt() > now) return "closed"
  const waiter = firstWaiter(self, account, now)
  if (waiter !== undefined) {
    account.waiters.splice(account.waiters.indexOf(waiter), 1)
    Deferred.doneUnsafe(waiter.granted, Effect.succeed(permit(self, account, waiter.drawing, now)))
    return "served"
  }
  const [ticket, ...rest] = queue?.tickets ?? []
  if (queue === undefined || ticket === undefined || !asksForRoom(self)) return "nothing"
  if (queueOpensAt(self, account, queue, now) > now) return "closed"
  const drawing = firstOf(self, account, queue)
  queue.tickets = rest
  Accounts.rotate(account, queue)
  self.starting = (self.starting ?? new Set()).add(ticket.id)
  self.room.take()
  // not before everybody else here has had a turn
  self.options.fork(Effect.andThen(Effect.yieldNow, startOne(self, queue, ticket, permit(self, account, drawing, now))))
  return "served"
}

/** When the first job of a queue may pass what it draws on. */
const queueOpensAt = (self: LaneState, account: Account, queue: Queue, now: number): number => {
  const drawing = firstOf(self, account, queue)
  return drawing === undefined ? now : LimitBook.look(self.limits, drawing, now)
}

/** The first of those that wait which may pass its limits. */
const firstWaiter = (self: LaneState, { waiters }: Account, now: number): Waiter | undefined => {
  for (const waiter of waiters) {
    const at = waiter.drawing === undefined ? now : LimitBook.look(self.limits, waiter.drawing, now)
    if (at <= now) return waiter
    self.askAgainAt = Math.min(self.askAgainAt, at)
  }
  return undefined
}

const asksForRoom = (self: LaneState): boolean => {
  const hasRoom = self.room.ask()
  if (!hasRoom) self.starved = true
  return hasRoom
}

const startOne = (self: LaneState, queue: Queue, ticket: Ticket, granted: Permit): Effect.Effect<void> =>
  self.options.start(ticket, granted, self.room.giveBack).pipe(
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
        self.starting?.delete(ticket.id)
        if (self.starting?.size === 0) self.starting = undefined
        self.signal.openUnsafe()
      })
    )
  )

const permit = (self: LaneState, account: Account, drawing: Drawing | undefined, now: number): Permit => {
  const taken = drawing === undefined ? nothing : LimitBook.take(self.limits, drawing, now)
  // both know of every call, so that the one is right when the upstream makes it count instead of the other
  const own = self.accountQueues
  const call = self.calls.begin(account.name, now, own)
  account.meter = own ? Meter.pass(account.meter, call.id, now) : Meter.note(account.meter, now)
  self.meter = own ? Meter.note(self.meter, now) : Meter.pass(self.meter, call.id, now)
  self.host.pass(now)
  return {
    draws: drawing?.draws ?? noDraws,
    depart: (going = anyway) => Departures.depart(self, { account, call }, going),
    sent: Departures.sent(self, { account, call }),
    settle: (answer) =>
      Clock.clockWith((clock) => {
        LimitBook.settle(self.limits, taken, answer, monotonic(clock))
        return Effect.void
      }),
    release: Clock.clockWith((clock) => {
      if (call.ended) return Effect.void
      const at = monotonic(clock)
      self.calls.end(call, at)
      const { departed } = call
      LimitBook.leave(self.limits, taken, departed, at)
      self.meter = Meter.leave(self.meter, call.id, { isTurnKept: departed || own, now: at })
      self.host.leave(departed)
      // it may have been dropped and made anew meanwhile
      const known = self.accounts.find(call.account)
      if (known !== undefined)
        known.meter = Meter.leave(known.meter, call.id, { isTurnKept: departed || !own, now: at })
      // it may have been the one that asked whether the upstream takes calls again
      if (Meter.isAsking(own ? account.meter : self.meter)) Departures.wakeLines(self)
      if (!isLeftAlone(self, account)) self.signal.openUnsafe()
      return Effect.void
    })
  }
}

const anyway: Going = {}

const nothing: ReadonlyArray<Taken> = []

const noDraws: Permit["draws"] = []

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
