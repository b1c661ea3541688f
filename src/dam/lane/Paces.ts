/**
 * What upstreams have taught about their pace: kept in memory, written behind, read again after a restart, forgotten
 * after an hour without traffic. A hold is kept until it is over, however long ago it was said.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { LanePort, StoredPace } from "../store/LaneRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { type Lesson, silent } from "./Learning.ts"

/** The paces of all hosts, and of the accounts of those whose upstream enabled account queues. */
export interface Paces {
  readonly get: (lane: string, account: string) => StoredPace | undefined
  readonly of: (lane: string) => ReadonlyArray<StoredPace>
  /**
   * Takes in what an answer taught; that there was one keeps what is known. Answers what of it is news: an answer says
   * nothing of the pace where one to a later call has spoken of it. `sentAt` is monotonic.
   */
  readonly learn: (owner: Owner, lesson: Lesson, at: { readonly sentAt: number; readonly now: number }) => Lesson
  /** Keeps a hold that is wider than a lane, for an owner among the lanes of a host; for all of them where none is named. */
  readonly hold: (host: string, owner: string, lesson: Lesson, now: number) => void
  /**
   * Counts an answer; says how many refusals stood in a row before it. One to a call that was sent before the last
   * refusal that counted is of its time: it neither counts nor ends the row. Both moments are monotonic.
   */
  readonly refusals: (owner: Owner, isRefusal: boolean, at: { readonly sentAt: number; readonly now: number }) => number
  /** Whether what a lane has found is worth keeping again: at once where it is news, and else from time to time. */
  readonly isDue: (owner: Owner, isNews: boolean, now: number) => boolean
  /** Ends the hold that the breaker of a lane has brought. */
  readonly release: (lane: string, now: number) => void
  readonly forget: (now: number) => void
  /** Forgets all that a lane was taught; the store is told by whoever asks for it. */
  readonly reset: (lane: string) => void
  /** The lanes something is known of. */
  readonly lanes: () => Iterable<string>
}

/** A lane, or an account of it. */
export interface Owner {
  readonly lane: string
  readonly account: string
}

/** A learnt pace is forgotten after this long without traffic. */
const memoryMillis = 3_600_000

/** How old what is kept of a found pace may become. */
const keepEvery = 60_000

/** How stale the stored moment of the last traffic may become. */
const writeBehind = memoryMillis / 4

/** Reads what is stored; writes what is new as long as the scope lasts, and the rest at its end. */
export const make = Effect.fnUntraced(function* (
  store: Pick<LanePort, "paces" | "savePace">
): Effect.fn.Return<Paces, StoreError, Scope.Scope> {
  const self: State = { lanes: new Map(), unsaved: new Set(), signal: Latch.makeUnsafe(false) }
  recall(self, yield* store.paces, yield* Clock.currentTimeMillis)
  yield* Effect.addFinalizer(() => Effect.ignore(save(self, store)))
  yield* Effect.forkScoped(keepSaving(self, store))
  return {
    get: (lane, account) => self.lanes.get(lane)?.get(account)?.pace,
    of: (lane) =>
      Array.from(self.lanes.get(lane)?.values() ?? []).flatMap(({ pace }) => (pace === undefined ? [] : [pace])),
    learn: (owner, lesson, at) => learn(self, owner, lesson, at),
    hold: (lane, owner, lesson, now) => teach(self, { lane, account: widely(owner) }, lesson, now),
    refusals: (owner, isRefusal, at) => refusals(self, owner, isRefusal, at),
    isDue: (owner, isNews, now) => isDue(self, owner, isNews, now),
    reset: (lane) => {
      for (const it of self.lanes.get(lane)?.values() ?? []) self.unsaved.delete(it)
      self.lanes.delete(lane)
    },
    lanes: () => self.lanes.keys(),
    release: (lane, now) => release(self, lane, now),
    forget: (now) => forget(self, now)
  }
})

/** The name among accounts under which a hold is kept that is wider than a lane. */
const widely = (owner: string): string => `${wideSign}${owner}`

/** Whose lanes a hold is for that is wider than one; `undefined` where it is not. */
export const ownerIn = (account: string): string | undefined =>
  account.startsWith(wideSign) ? account.slice(wideSign.length) : undefined

// accounts are named by hashes, which have no such sign
const wideSign = "*"

/** What is known, and what of it the store does not know. */
interface State {
  readonly lanes: Map<string, Map<string, Known>>
  readonly unsaved: Set<Known>
  readonly signal: Latch.Latch
}

/** Of the moments, `refusedAt` is when the last refusal that counted came, and the others when the calls were sent whose answers taught it. */
interface Known {
  pace: StoredPace | undefined
  savedAt: number
  keptAt: number
  refusals: number
  refusedAt: number
  rpsOf: number
  concurrentOf: number
  queuesOf: number
}

const known = ({ lanes }: State, { account, lane }: Owner): Known => {
  const ofLane = lanes.get(lane) ?? new Map<string, Known>()
  lanes.set(lane, ofLane)
  const found = ofLane.get(account) ?? unknown()
  ofLane.set(account, found)
  return found
}

const unknown = (): Known => ({
  pace: undefined,
  savedAt: Number.NEGATIVE_INFINITY,
  keptAt: Number.NEGATIVE_INFINITY,
  refusals: 0,
  refusedAt: Number.NEGATIVE_INFINITY,
  rpsOf: Number.NEGATIVE_INFINITY,
  concurrentOf: Number.NEGATIVE_INFINITY,
  queuesOf: Number.NEGATIVE_INFINITY
})

const isAlive = ({ heldUntil = 0, seenAt }: StoredPace, now: number): boolean =>
  now - seenAt < memoryMillis || heldUntil > now

const recall = (self: State, paces: ReadonlyArray<StoredPace>, now: number): void => {
  for (const pace of paces) {
    if (!isAlive(pace, now)) continue
    const isPaceKept = now - pace.seenAt < memoryMillis
    const it = known(self, pace)
    it.pace = isPaceKept
      ? pace
      : { ...pace, rps: undefined, maxConcurrent: undefined, taughtAt: undefined, kept: undefined }
    it.savedAt = pace.seenAt
  }
}

const ownerOf = ({ lanes }: State, { account, lane }: Owner): string =>
  lanes.get(lane)?.get("")?.pace?.accountQueues ? account : ""

const learn = (
  self: State,
  { account, lane }: Owner,
  lesson: Lesson,
  { now, sentAt }: { readonly sentAt: number; readonly now: number }
): Lesson => {
  // who speaks of account queues speaks of the whole host, and of the pace of the account it answered
  const accountQueues = queuesSaid(self, lane, lesson, sentAt)
  if (accountQueues !== undefined) teach(self, { lane, account: "" }, { ...silent, accountQueues }, now)
  const owner = ownerOf(self, { lane, account })
  if (owner !== "") teach(self, { lane, account: "" }, silent, now)
  const news = paceSaid(self, { lane, account: owner }, lesson, sentAt)
  teach(self, { lane, account: owner }, { ...news, accountQueues: undefined }, now)
  return accountQueues === lesson.accountQueues ? news : { ...news, accountQueues }
}

const queuesSaid = (self: State, lane: string, { accountQueues }: Lesson, sentAt: number): boolean | undefined => {
  if (accountQueues === undefined) return undefined
  const it = known(self, { lane, account: "" })
  if (sentAt < it.queuesOf) return undefined
  it.queuesOf = sentAt
  return accountQueues
}

const paceSaid = (self: State, owner: Owner, lesson: Lesson, sentAt: number): Lesson => {
  if (lesson.rps === undefined && lesson.maxConcurrent === undefined) return lesson
  const it = known(self, owner)
  const isRps = lesson.rps !== undefined && sentAt >= it.rpsOf
  const isConcurrent = lesson.maxConcurrent !== undefined && sentAt >= it.concurrentOf
  if (isRps) it.rpsOf = sentAt
  if (isConcurrent) it.concurrentOf = sentAt
  return {
    ...lesson,
    rps: isRps ? lesson.rps : undefined,
    maxConcurrent: isConcurrent ? lesson.maxConcurrent : undefined
  }
}

const isDue = (self: State, { account, lane }: Owner, isNews: boolean, now: number): boolean => {
  const { keptAt } = known(self, { lane, account: ownerOf(self, { lane, account }) })
  return isNews || now - keptAt >= keepEvery
}

const teach = (self: State, owner: Owner, lesson: Lesson, now: number): void => {
  const it = known(self, owner)
  const before = it.pace
  const says =
    lesson.rps !== undefined ||
    lesson.maxConcurrent !== undefined ||
    lesson.accountQueues !== undefined ||
    lesson.hold !== undefined ||
    lesson.kept !== undefined
  if (before === undefined && !says) return
  const after: StoredPace = {
    lane: owner.lane,
    account: owner.account,
    rps: lesson.rps ?? before?.rps,
    maxConcurrent: lesson.maxConcurrent ?? before?.maxConcurrent,
    accountQueues: lesson.accountQueues ?? before?.accountQueues,
    ...laterHold(before, lesson, now),
    taughtAt: taughtAt(before, lesson, now),
    kept: "kept" in lesson ? lesson.kept : before?.kept,
    seenAt: now
  }
  it.pace = after
  if ("kept" in lesson) it.keptAt = now
  const isNews =
    after.rps !== before?.rps ||
    after.maxConcurrent !== before?.maxConcurrent ||
    after.accountQueues !== before?.accountQueues ||
    after.heldUntil !== before?.heldUntil ||
    after.kept !== before?.kept ||
    now - it.savedAt > writeBehind
  if (!isNews) return
  self.unsaved.add(it)
  self.signal.openUnsafe()
}

const release = (self: State, lane: string, now: number): void => {
  const it = self.lanes.get(lane)?.get("")
  if (it?.pace?.heldBy?.reason !== "breaker") return
  it.pace = { ...it.pace, heldUntil: undefined, heldBy: undefined, seenAt: now }
  self.unsaved.add(it)
  self.signal.openUnsafe()
}

const refusals = (
  self: State,
  owner: Owner,
  isRefusal: boolean,
  { now, sentAt }: { readonly sentAt: number; readonly now: number }
): number => {
  const account = ownerOf(self, owner)
  const it = isRefusal ? known(self, { lane: owner.lane, account }) : self.lanes.get(owner.lane)?.get(account)
  if (it === undefined) return 0
  const before = it.refusals
  // nothing is sent while a lane is held, so what was sent in that very moment was sent before
  if (sentAt <= it.refusedAt) return Math.max(0, before - 1)
  it.refusals = isRefusal ? before + 1 : 0
  if (isRefusal) it.refusedAt = now
  return before
}

const forget = ({ lanes }: State, now: number): void => {
  for (const [lane, ofLane] of lanes) {
    for (const [account, { pace, refusals: inARow }] of ofLane) {
      if (pace === undefined ? inARow === 0 : !isAlive(pace, now)) ofLane.delete(account)
    }
    if (ofLane.size === 0) lanes.delete(lane)
  }
}

const save = Effect.fnUntraced(function* ({ unsaved }: State, store: Pick<LanePort, "savePace">) {
  for (const it of unsaved) {
    unsaved.delete(it)
    const { pace } = it
    if (pace === undefined) continue
    it.savedAt = pace.seenAt
    yield* Effect.onError(store.savePace(pace), () => Effect.sync(() => void unsaved.add(it)))
  }
})

const keepSaving = Effect.fnUntraced(function* (self: State, store: Pick<LanePort, "savePace">) {
  while (true) {
    yield* self.signal.await
    self.signal.closeUnsafe()
    const saved = yield* Effect.result(save(self, store))
    if (saved._tag === "Success") continue
    yield* Effect.logWarning(`a learnt pace cannot be stored: ${saved.failure.message}`)
    yield* Effect.sleep(1000)
    self.signal.openUnsafe()
  }
})

/** What is said again was so before. */
const taughtAt = (before: StoredPace | undefined, { maxConcurrent, rps }: Lesson, now: number): number | undefined => {
  const isNews =
    (rps !== undefined && rps !== before?.rps) ||
    (maxConcurrent !== undefined && maxConcurrent !== before?.maxConcurrent)
  return isNews ? now : before?.taughtAt
}

/** An earlier hold never shortens a later one. */
const laterHold = (before: StoredPace | undefined, { heldBy, hold }: Lesson, now: number) => {
  const { heldUntil = 0 } = before ?? {}
  const until = hold === undefined ? 0 : Math.ceil(now + hold)
  return until > heldUntil ? { heldUntil: until, heldBy } : { heldUntil: before?.heldUntil, heldBy: before?.heldBy }
}
