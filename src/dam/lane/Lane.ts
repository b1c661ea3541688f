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
import type * as Effect from "effect/Effect"
import * as Accounts from "./Accounts.ts"
import * as Classes from "./Classes.ts"
import * as Departures from "./Departures.ts"
import type { Said } from "../../engine/pace/Said.ts"
import * as Kept from "../../engine/pace/Kept.ts"
import * as Finder from "../../engine/pace/Finder.ts"
import * as Meter from "../../engine/pace/Meter.ts"
import { gateFor, heldUntil, type LaneOptions, type LaneState } from "./LaneState.ts"
import * as LaneStates from "./LaneState.ts"
import type { LaneView, LaneWhy } from "./LaneView.ts"
import type { Lesson } from "./Learning.ts"
import type { Asking, Permit, Waiting } from "./Permit.ts"
import * as Turns from "./Turns.ts"

/**
 * One host's lane.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lane {
  /**
   * Waits for a permit. To be called where interruption is off, so that no permit is lost on the way: the wait alone can
   * be interrupted, which gives the place up.
   */
  readonly acquire: (account: string, asking?: Asking) => Effect.Effect<Permit>
  /**
   * The same for a call of a job that may come back by the store: answers nothing, at once or later, where the lane is
   * paused or held for long.
   */
  readonly seek: (account: string, asking: Asking) => Effect.Effect<Permit | undefined>
  /** Says that jobs of this queue may have been queued; of any, where none is named. */
  readonly wake: (queue: string | undefined) => void
  /** Says that jobs which are queued have changed: what was read of them is read again. */
  readonly reread: () => void
  /** Takes in what an answer says of the pace. */
  readonly hear: (account: string, said: Said, at: { readonly sentAt: number; readonly now: number }) => Heard
  /** Takes in what an answer taught beside that. */
  readonly learn: (account: string, lesson: Lesson, now: number) => void
  /** Holds an account until a moment; the whole host where none is named. */
  readonly hold: (account: string, until: number) => void
  /** Ends what holds the whole host but for what its answers say. */
  readonly release: () => void
  readonly pause: (paused: boolean, now: number) => void
  /** Takes over paces that were changed from outside; `lifts` ends every hold. */
  readonly repace: (lifts: boolean, now: number) => void
  /** Has everybody here look again: what holds for its host is another than before. */
  readonly changed: (now: number) => void
  /** What decides when a queue of the lane, or a call that waits in it, has its turn. */
  readonly why: (queue: string, now: number) => LaneWhy
  /** Accounts that wait, as far as is known. */
  readonly accounts: () => number
  /** The account for which a call of this job waits here, what it draws on besides, and whether another is under way. */
  readonly waiting: (jobId: string) => Waiting | undefined
  readonly view: (now: number) => LaneView
  /** Calls that wait here for a pause or a hold which lasts until a moment at least. */
  readonly stuck: (until: number) => number
  /** Milliseconds for which nothing of the account may be sent. */
  readonly heldFor: (account: string, now: number) => number
  /** Nothing runs, waits or is queued here as far as is known, and a lane made anew would be no slower. */
  readonly idle: (now: number) => boolean
  /** Leaves its host: the lane is dropped. */
  readonly part: () => void
}

/**
 * What became of a lane by an answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Heard {
  /** Monotonic milliseconds until which nothing is sent now and was not before; `undefined` where that is no news. */
  readonly until: number | undefined
  /** Whether the pace was found anew. */
  readonly isFound: boolean
  /** What is worth keeping of it. */
  readonly kept: () => Kept.Kept | undefined
}

/**
 * Makes a lane. It does nothing until it is used or woken.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: LaneOptions): Lane => new LaneOf(LaneStates.make(options, Turns.look))

// a class: there may be ten thousand lanes, and each would have functions of its own
class LaneOf implements Lane {
  private readonly self: LaneState

  constructor(self: LaneState) {
    this.self = self
  }

  acquire(name: string, asking?: Asking) {
    return Turns.acquire(this.self, name, asking)
  }

  seek(name: string, asking: Asking) {
    return Turns.seek(this.self, name, asking)
  }

  wake(name: string | undefined) {
    wake(this.self, name)
  }

  reread() {
    reread(this.self)
  }

  hear(name: string, said: Said, at: { readonly sentAt: number; readonly now: number }) {
    return hear(this.self, name, said, at)
  }

  learn(name: string, lesson: Lesson, now: number) {
    learn(this.self, name, lesson, now)
  }

  hold(name: string, until: number) {
    hold(this.self, name, until)
  }

  release() {
    this.self.meter = Meter.release(this.self.meter)
  }

  pause(paused: boolean, now: number) {
    this.self.paused = paused
    Turns.changed(this.self, now)
  }

  repace(lifts: boolean, now: number) {
    repace(this.self, lifts, now)
  }

  changed(now: number) {
    Turns.changed(this.self, now)
  }

  why(name: string, now: number) {
    return why(this.self, name, now)
  }

  accounts() {
    return this.self.accounts.all().filter(Accounts.isNeeded).length
  }

  waiting(jobId: string) {
    return waiting(this.self, jobId)
  }

  view(now: number) {
    return view(this.self, now)
  }

  stuck(until: number) {
    return stuck(this.self, until)
  }

  heldFor(name: string, now: number) {
    return Math.max(0, heldUntil(this.self, name) - now)
  }

  idle(now: number) {
    return idle(this.self, now)
  }

  part() {
    this.self.host.part()
  }
}

const wake = (self: LaneState, name: string | undefined): void => {
  if (name === undefined) {
    self.anyQueue = true
    self.signal.openUnsafe()
    return
  }
  const queue = self.accounts.queue(name)
  // a queue that has something already is waited for as it is; a read under way has cleared `more`
  const isNews = !queue.more && queue.tickets.length === 0
  queue.more = true
  if (isNews) self.signal.openUnsafe()
}

const reread = (self: LaneState): void => {
  for (const { queues } of self.accounts.all()) for (const queue of queues) queue.tickets = []
  wake(self, undefined)
}

const hear = (
  self: LaneState,
  name: string,
  said: Said,
  at: { readonly sentAt: number; readonly now: number }
): Heard => {
  const owner = self.accountQueues ? self.accounts.get(name) : self
  const before = owner.meter.finder
  const heldBefore = Meter.holdsUntil(owner.meter, at.now)
  owner.meter = Meter.hear(owner.meter, said, at)
  const { finder } = owner.meter
  const until = Meter.holdsUntil(owner.meter, at.now)
  const isHeld = until > Math.max(at.now, heldBefore)
  const isFound = finder.search.cycle.since !== before.search.cycle.since || finder.levels.top !== before.levels.top
  // whoever waits looks anyway when the call is given back
  if (isHeld || isFound) Turns.changed(self, at.now)
  return { until: isHeld ? until : undefined, isFound, kept: () => Kept.keep(owner.meter.finder) }
}

const learn = (self: LaneState, name: string, lesson: Lesson, now: number): void => {
  self.ignored += lesson.ignored
  if (lesson.accountQueues !== undefined) self.accountQueues = lesson.accountQueues
  const owner = self.accountQueues ? self.accounts.get(name) : self
  const isPaced = lesson.rps !== undefined || lesson.maxConcurrent !== undefined
  if (isPaced) owner.meter = Meter.learn(owner.meter, lesson)
  if (lesson.hold !== undefined) owner.meter = Meter.hold(owner.meter, now + lesson.hold)
  if (isPaced || lesson.hold !== undefined || lesson.accountQueues !== undefined) Turns.changed(self, now)
}

const hold = (self: LaneState, name: string, until: number): void => {
  const owner = name === "" ? self : self.accounts.get(name)
  owner.meter = Meter.hold(owner.meter, until)
  self.signal.openUnsafe()
}

const waiting = (self: LaneState, jobId: string): ReturnType<Lane["waiting"]> => {
  for (const { name, waiters } of self.accounts.all()) {
    const waiter = waiters.find((one) => one.jobId === jobId)
    if (waiter !== undefined) return { account: name, draws: waiter.drawing?.draws ?? [], isBeside: waiter.isBeside }
  }
  return undefined
}

const stuck = (self: LaneState, until: number): number =>
  self.accounts
    .all()
    .filter(({ name }) => self.paused || heldUntil(self, name) >= until)
    .reduce((total, { waiters }) => total + waiters.length, Departures.stuck(self, until))

const repace = (self: LaneState, lifts: boolean, now: number): void => {
  const anew = (meter: Meter.Meter, account: string | undefined): Meter.Meter =>
    (lifts ? Meter.lift : Meter.repace)(meter, self.options.settingOf(account))
  if (lifts) self.accountQueues = false
  self.meter = anew(self.meter, undefined)
  for (const account of self.accounts.all()) account.meter = anew(account.meter, account.name)
  Turns.changed(self, now)
}

const why = (self: LaneState, name: string, now: number): LaneWhy => {
  const { accountQueues, accounts, calls, paused, room } = self
  return {
    gate: gateFor(self, name, now),
    host: self.host.gate(),
    accountQueues,
    paused,
    hasRoom: !room.isFull(),
    openSince: calls.since(accountQueues ? accounts.find(name)?.name : undefined),
    callMillis: calls.usual(),
    turns: accounts.all().map((account) => ({
      account: account.name,
      waiting: account.waiters.map(({ jobId }) => jobId),
      queues: Classes.inTurn(account.queues, account.passed).map((queue) => queue.name)
    }))
  }
}

const view = ({ accountQueues, accounts, calls, host, ignored, meter, paused }: LaneState, now: number): LaneView => ({
  pace: Meter.paceOf(meter, now),
  ceiling: meter.gate.pace,
  open: meter.gate.open,
  waiting: accounts.all().reduce((total, { waiters }) => total + waiters.length, 0),
  accountQueues,
  paused,
  opensIn: paused
    ? Number.POSITIVE_INFINITY
    : Math.max(0, Meter.opensAt(meter, now) - now, host.opensAt() - now, host.heldUntil() - now),
  heldFor: Math.max(0, Meter.heldUntil(meter) - now, host.heldUntil() - now),
  isAsking: Meter.isAsking(meter),
  quotas: (epoch) => Finder.told(meter.finder, epoch - now),
  ignored,
  calls: calls.count()
})

const idle = ({ accounts, anyQueue, meter, signal, starting }: LaneState, now: number): boolean =>
  // one that is looking may be about to find something
  signal.isQuiet() &&
  starting === undefined &&
  !anyQueue &&
  Meter.isQuiet(meter, now) &&
  accounts.all().every((account) => !Accounts.isNeeded(account) && Meter.isQuiet(account.meter, now))
