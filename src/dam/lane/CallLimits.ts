/**
 * The limits that calls draw on beside the pace of their lane: defined in the config or by operators, live.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Bucket from "../../engine/limits/Bucket.ts"
import type { Limit } from "../../engine/limits/Limit.ts"
import type { LimitPort } from "../store/LimitRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as LimitBook from "./LimitBook.ts"
import type { Share } from "./Shares.ts"

/**
 * How much of a limit is left for one key.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitLevel {
  /** Empty where all calls share one. */
  readonly key: string
  /** Units that could be taken now; below zero what is owed. `undefined` where the limit has no rate. */
  readonly available: number | undefined
  /** Calls that are open. */
  readonly open: number
  /** Calls and queues of jobs that wait for it and for nothing else. */
  readonly waiting: number
}

/**
 * How a limit stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitStatus {
  readonly name: string
  readonly limit: Limit
  /** Where its definition comes from; an operator's goes before the config's. */
  readonly source: "configured" | "operator"
  /** Epoch milliseconds at which an operator defined it, and who did. */
  readonly since: number | undefined
  readonly by: string | undefined
  /** Keys in use now: a key that has rested is as new, and not listed. */
  readonly levels: ReadonlyArray<LimitLevel>
}

/**
 * A limit that jobs still draw on is not deleted.
 *
 * @category errors
 * @since 0.1.0
 */
export class LimitInUse extends Schema.TaggedError<LimitInUse>()("LimitInUse", {
  limit: Schema.String,
  /** Jobs that have not ended and name it. */
  jobs: Schema.Number
}) {
  override get message() {
    return `the limit ${this.limit} is in use: ${this.jobs} ${this.jobs === 1 ? "job that has" : "jobs that have"} not ended`
  }
}

/**
 * What operators do with limits. A change holds at once, for what waits already too.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallLimits {
  /** Whether a limit of this name is defined. */
  readonly isKnown: (name: string) => boolean
  /** What is defined by this name, without how it stands. */
  readonly definition: (name: string) => Limit | undefined
  readonly names: () => ReadonlyArray<string>
  /** By name. */
  readonly list: Effect.Effect<ReadonlyArray<LimitStatus>>
  readonly get: (name: string) => Effect.Effect<LimitStatus | undefined>
  /** Defines a limit, or changes it. */
  readonly set: (name: string, limit: Limit, by: string) => Effect.Effect<LimitStatus, StoreError>
  /**
   * Takes an operator's definition back: one of the config holds again. Answers what holds now, or nothing where there is
   * none any more.
   */
  readonly remove: (name: string) => Effect.Effect<LimitStatus | undefined, LimitInUse | StoreError>
}

/**
 * Limits as operators see them, and as lanes take from them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly steering: CallLimits
  readonly book: LimitBook.LimitBook
}

/**
 * Reads what is stored, and keeps what is owed as long as the scope lasts. At its end everything that is left is kept.
 *
 * **Details** — what a crash interrupts has kept no more than what was owed: everything then begins empty and not full, so
 * that over any time no more is admitted than the limit says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: LimitPort,
  configured: Readonly<Record<string, Limit>>
): Effect.fn.Return<Limits, StoreError, Scope.Scope> {
  const now = yield* monotonicMillis
  const epoch = yield* Clock.currentTimeMillis
  const { levels, others } = yield* store.levels
  // a clock that was set back since is no debt
  const since = (at: number) => now - Math.max(0, epoch - at)
  const signal = Latch.makeUnsafe(false)
  const owing = new Set<Share>()
  const book = LimitBook.make({
    left: levels.map((level) => ({ ...level, at: since(level.at) })),
    emptyAt: others === "full" ? undefined : others === "unknown" ? now : since(others),
    owes: (share) => {
      owing.add(share)
      signal.openUnsafe()
    }
  })
  const operators = new Map((yield* store.limits).map((limit) => [limit.name, limit]))
  const self: State = { store, configured, operators, book, owing }
  for (const name of new Set([...Object.keys(configured), ...operators.keys()])) apply(self, name, now)
  // from here on nobody could say after a crash what was left
  const debts = levels.filter(({ level }) => level < 0)
  if (book.definitions.size > 0) yield* store.saveLevels({ others: "unknown", levels: debts }, true)
  yield* Effect.addFinalizer(() => Effect.ignore(saveAll(self)))
  yield* Effect.forkScoped(keepSaving(self, signal))
  yield* Effect.forkScoped(tidying(self))
  return { steering: steeringOf(self), book }
})

interface State {
  readonly store: LimitPort
  readonly configured: Readonly<Record<string, Limit>>
  readonly operators: Map<string, Stored>
  readonly book: LimitBook.LimitBook
  readonly owing: Set<Share>
}

type Stored = Effect.Success<LimitPort["limits"]>[number]

const apply = ({ book, configured, operators }: State, name: string, now: number): void => {
  const own = operators.get(name)
  const given = Object.hasOwn(configured, name) ? configured[name] : undefined
  const definition: LimitBook.Definition | undefined =
    own !== undefined
      ? { limit: own.limit, source: "operator", since: own.at, by: own.by }
      : given && { limit: given, source: "configured", since: undefined, by: undefined }
  LimitBook.define(book, name, definition, now)
}

const steeringOf = (self: State): CallLimits => {
  const { book, configured, operators, store } = self
  const statusOf = (name: string, now: number): LimitStatus | undefined => {
    const definition = book.definitions.get(name)
    return definition && { name, ...definition, levels: levelsOf(book, name, now) }
  }
  const get = (name: string) => Effect.map(monotonicMillis, (now) => statusOf(name, now))
  // one change after the other, and whoever asked may lose patience, but memory and store do not part
  const turn = Semaphore.makeUnsafe(1)
  const inTurn = <A, E>(change: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptible(turn.withPermits(1)(change))
  return {
    isKnown: (name) => book.definitions.has(name),
    definition: (name) => book.definitions.get(name)?.limit,
    names: () => Array.from(book.definitions.keys()),
    list: Effect.map(monotonicMillis, (now) =>
      Array.from(book.definitions.keys())
        .toSorted()
        .flatMap((name) => statusOf(name, now) ?? [])
    ),
    get,
    set: Effect.fnUntraced(function* (name, limit, by) {
      const stored = { name, limit, at: yield* Clock.currentTimeMillis, by }
      // what is left is known no more after a crash, from the first limit on
      if (book.definitions.size === 0) yield* store.saveLevels({ others: "unknown", levels: [] }, false)
      yield* store.saveLimit(stored)
      operators.set(name, stored)
      apply(self, name, yield* monotonicMillis)
      const status: LimitStatus = {
        name,
        limit,
        source: "operator",
        since: stored.at,
        by,
        levels: levelsOf(book, name, yield* monotonicMillis)
      }
      return status
    }, inTurn),
    remove: Effect.fnUntraced(function* (name) {
      if (!Object.hasOwn(configured, name)) {
        const jobs = yield* store.drawing(name)
        if (jobs > 0) return yield* new LimitInUse({ limit: name, jobs })
      }
      yield* store.removeLimit(name)
      operators.delete(name)
      apply(self, name, yield* monotonicMillis)
      return yield* get(name)
    }, inTurn)
  }
}

const levelsOf = ({ shares }: LimitBook.LimitBook, name: string, now: number): ReadonlyArray<LimitLevel> =>
  Array.from(shares.get(name)?.values() ?? [])
    .filter(({ bucket, claims }) => claims.size > 0 || !Bucket.isQuiet(bucket, now))
    .map(({ bucket, claims, key }) => ({
      key,
      available: Bucket.available(bucket, now),
      open: bucket.open,
      waiting: claims.size
    }))

const tidying = Effect.fnUntraced(function* ({ book }: State) {
  while (true) {
    yield* Effect.sleep(Duration.minutes(1))
    LimitBook.tidy(book, yield* monotonicMillis)
  }
})

/** Keeps what is owed, soon after it is. */
const keepSaving = Effect.fnUntraced(function* (self: State, signal: Latch.Latch) {
  while (true) {
    yield* signal.await
    signal.closeUnsafe()
    const saved = yield* Effect.result(saveDebts(self))
    if (saved._tag === "Success") continue
    yield* Effect.logWarning(`what is owed to a limit cannot be stored: ${saved.failure.message}`)
    yield* Effect.sleep(1000)
    signal.openUnsafe()
  }
})

const saveDebts = Effect.fnUntraced(function* ({ owing, store }: State) {
  const at = yield* Clock.currentTimeMillis
  const now = yield* monotonicMillis
  const debts = Array.from(owing)
  owing.clear()
  const levels = debts.flatMap(({ bucket, key, name }) => {
    const level = Bucket.available(bucket, now)
    return level === undefined || level >= 0 ? [] : [{ name, key, level, at }]
  })
  yield* Effect.onError(store.saveLevels({ others: "unknown", levels }, false), () =>
    Effect.sync(() => {
      for (const share of debts) owing.add(share)
    })
  )
})

const saveAll = Effect.fnUntraced(function* ({ book, store }: State) {
  if (book.definitions.size === 0) return
  const at = yield* Clock.currentTimeMillis
  const now = yield* monotonicMillis
  const epochOf = (moment: number) => at - (now - moment)
  const levels = LimitBook.levels(book, now).map((level) => ({ ...level, at: epochOf(level.at) }))
  yield* store.saveLevels({ others: book.emptyAt === undefined ? "full" : epochOf(book.emptyAt), levels }, true)
})

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
