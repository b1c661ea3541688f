/**
 * Calls that have their permit, on the way out.
 *
 * Between a permit and its call a job is written, and where a disk keeps many waiting, their calls would all be sent in
 * the moment it answers. Here they are spaced again, by what holds in the moment in which they leave: a permit that was
 * given before a hold, a pause or another pace came is no right to be sent in spite of it. Whoever gives up has taken
 * nobody's moment.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Account } from "./Accounts.ts"
import type { OpenCall } from "./Calls.ts"
import * as Meter from "../../engine/pace/Meter.ts"
import { heldUntil, isLong, type Held, type LaneState } from "./LaneState.ts"
import type { Going } from "./Permit.ts"

/** Timers know whole milliseconds; a pace that has less between its calls cannot wait for less. */
const shortest = 1

/** For so few milliseconds nobody listens to news: a race of two costs more than it would gain. */
const brief = 50

/** A call on its way out. */
export interface Departing {
  readonly account: Account
  readonly call: OpenCall
}

/** Waits for the moment of a call, and takes it; answers `false` where the call is not to be sent. */
export const depart = (self: LaneState, leaving: Departing, going: Going): Effect.Effect<boolean> =>
  Clock.clockWith((clock) => {
    const now = monotonic(clock)
    const isFree = lineOf(self, leaving).length === 0 && stopOf(self, leaving, now) <= now
    return isFree ? Effect.succeed(leave(self, leaving, going, now)) : wait(self, leaving, going)
  })

/** Takes the moment of a call that was sent without waiting for it. */
export const sent = (self: LaneState, leaving: Departing): Effect.Effect<void> =>
  Clock.clockWith((clock) =>
    Effect.sync(() => {
      const { departed, ended } = leaving.call
      if (!departed && !ended) leave(self, leaving, {}, monotonic(clock))
    })
  )

/** Has everybody look again: a hold, a pause or a pace is another than before. */
export const wake = ({ accounts, apart, line }: LaneState): void => {
  // a copy: whoever is woken may step apart again before the next one is
  if (apart !== undefined) for (const { woken } of Array.from(apart)) woken.openUnsafe()
  wakeLines({ accounts, line })
}

/** Has those look again that are next to be sent. */
export const wakeLines = ({ accounts, line }: Pick<LaneState, "accounts" | "line">): void => {
  line[0]?.openUnsafe()
  for (const account of accounts.all()) account.line[0]?.openUnsafe()
}

/** Counts the calls that were let through and are not sent before a moment, as far as is known. */
export const stuck = (self: LaneState, until: number): number => {
  let count = 0
  for (const { account } of self.apart ?? []) if (self.paused || heldUntil(self, account) >= until) count++
  return count
}

/** Waits apart while the call is held, so that it keeps no others waiting, and in the line of its gate else. */
const wait = Effect.fnUntraced(function* (self: LaneState, leaving: Departing, going: Going) {
  while (true) {
    const now = monotonic(yield* Clock.Clock)
    const { isWanted = always } = going
    if (!isWanted() || (going.canLeave === true && isLong(self, leaving.call.account, now))) return false
    if (holdOf(self, leaving) > now) yield* waitApart(self, leaving, now)
    else {
      const departed = yield* waitInLine(self, leaving, going)
      if (departed !== undefined) return departed
    }
  }
})

const waitApart = (self: LaneState, leaving: Departing, now: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const held: Held = { account: leaving.call.account, woken: Latch.makeUnsafe(false) }
    self.apart = (self.apart ?? new Set()).add(held)
    return Effect.ensuring(
      sleepOr(held.woken, holdOf(self, leaving) - now),
      Effect.sync(() => {
        self.apart?.delete(held)
        if (self.apart?.size === 0) self.apart = undefined
      })
    )
  })

/** Departs when the moment has come; answers nothing where it is held instead, or stands in a line that counts no more. */
const waitInLine = (self: LaneState, leaving: Departing, going: Going): Effect.Effect<boolean | undefined> =>
  Effect.suspend(() => {
    const woken = Latch.makeUnsafe(false)
    const line = lineOf(self, leaving)
    line.push(woken)
    return Effect.ensuring(
      Effect.gen(function* () {
        while (true) {
          woken.closeUnsafe()
          const now = monotonic(yield* Clock.Clock)
          if (holdOf(self, leaving) > now || lineOf(self, leaving) !== line) return undefined
          const at = stopOf(self, leaving, now)
          // taken while it stands in the line: the next looks when it is gone
          if (line[0] === woken && at <= now) return leave(self, leaving, going, now)
          // only the first looks at the clock; it wakes the next when it is gone
          yield* line[0] === woken ? sleepOr(woken, at - now) : woken.await
        }
      }),
      Effect.sync(() => {
        line.splice(line.indexOf(woken), 1)
        line[0]?.openUnsafe()
      })
    )
  })

const leave = (self: LaneState, leaving: Departing, { isWanted = always }: Going, now: number): boolean => {
  if (!isWanted()) return false
  self.calls.depart(leaving.call)
  if (self.accountQueues) {
    const account = accountOf(self, leaving)
    account.meter = Meter.send(account.meter, leaving.call.id, now)
  } else self.meter = Meter.send(self.meter, leaving.call.id, now)
  self.host.send(now)
  return true
}

/** It may have been dropped and made anew since its permit. */
const accountOf = ({ accounts }: LaneState, { account }: Departing): Account => accounts.find(account.name) ?? account

const lineOf = (self: LaneState, leaving: Departing): Array<Latch.Latch> =>
  self.accountQueues ? accountOf(self, leaving).line : self.line

const holdOf = (self: LaneState, { account }: Departing): number =>
  self.paused ? Number.POSITIVE_INFINITY : heldUntil(self, account.name)

/** The moment before which the call is not sent. */
const stopOf = (self: LaneState, leaving: Departing, now: number): number => {
  const meter = self.accountQueues ? accountOf(self, leaving).meter : self.meter
  const sendDueAt = Meter.sendsAt(meter, leaving.call.id)
  const isFine = 1000 / meter.gate.pace.rps < shortest && sendDueAt - now < shortest
  return Math.max(isFine ? now : sendDueAt, holdOf(self, leaving), self.host.sendsAt(now))
}

const sleepOr = (woken: Latch.Latch, millis: number): Effect.Effect<void> => {
  if (millis === Number.POSITIVE_INFINITY) return woken.await
  const sleep = Effect.sleep(Math.max(shortest, Math.ceil(millis)))
  return millis <= brief ? sleep : Effect.raceFirst(woken.await, sleep)
}

const always = (): boolean => true

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
