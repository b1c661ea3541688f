/**
 * What is known of receivers' origins: which key each has proved, since when, and which must not be trusted.
 *
 * A proof holds for a day. A key that changed is told to the operator and not adopted: whoever can answer for the name
 * today could be somebody else than the one who was trusted. Until the operator forgets the old key, nothing is trusted.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { StoreError } from "../store/StoreError.ts"
import { untilWritten } from "../store/StoreError.ts"
import type { TrustPort, StoredTrust } from "../store/TrustRecords.ts"
import { Untrusted } from "./Initiator.ts"

/**
 * How long a proof holds, and how long a failure is remembered, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const lasts = { proof: 24 * 3_600_000, failure: 10 * 60_000 } as const

/**
 * Trust in origins.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trusts {
  /** Makes the handshake unless its end is known already; `jobId` stands in the log when the store fails. */
  readonly prove: (
    origin: string,
    jobId: string,
    handshake: Effect.Effect<string, Untrusted>
  ) => Effect.Effect<void, Untrusted>
  /** What is kept, at most 1,000 origins by their names. */
  readonly list: Effect.Effect<ReadonlyArray<StoredTrust>, StoreError>
  /** Trusts an origin no more, whatever it proves, until it is forgotten. */
  readonly revoke: (origin: string) => Effect.Effect<StoredTrust, StoreError>
  /** Forgets an origin: the next delivery proves it anew and adopts its key. Answers whether anything was known. */
  readonly forget: (origin: string) => Effect.Effect<boolean, StoreError>
}

/** What is remembered of origins, beside what the store keeps. */
interface Memory {
  readonly store: Omit<TrustPort, "takeL8Nonce">
  /** What was read or written lately; `undefined`: nothing is known. The store has all of it. */
  readonly read: Map<string, StoredTrust | undefined>
  readonly failures: Map<string, { readonly until: number; readonly problem: string }>
  readonly turns: Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>
}

/**
 * Makes the trust in origins.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (store: Omit<TrustPort, "takeL8Nonce">): Trusts => {
  const memory: Memory = { store, read: new Map(), failures: new Map(), turns: new Map() }
  return {
    prove: Effect.fnUntraced(function* (origin, jobId, handshake) {
      if (yield* isTrusted(memory, origin, jobId)) return
      yield* inTurn(
        memory,
        origin,
        Effect.gen(function* () {
          if (yield* isTrusted(memory, origin, jobId)) return
          const publicKey = yield* handshake.pipe(
            Effect.catch(({ problem }) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) => fail(memory, origin, now, problem))
            )
          )
          yield* judge(memory, origin, jobId, publicKey)
        })
      )
    }),
    list: store.l8Trusts(1000),
    revoke: Effect.fnUntraced(function* (origin) {
      const known = yield* recall(memory, origin)
      const revoked: StoredTrust = {
        origin,
        publicKey: known?.publicKey,
        provedAt: known?.provedAt,
        changedKey: known?.changedKey,
        revokedAt: known?.revokedAt ?? (yield* Clock.currentTimeMillis)
      }
      yield* save(memory, revoked)
      return revoked
    }),
    forget: (origin) =>
      Effect.suspend(() => {
        put(memory.read, origin, undefined)
        memory.failures.delete(origin)
        return store.forgetL8Trust(origin)
      })
  }
}

/** Whether an origin is trusted already; fails when it is known that it cannot be. */
const isTrusted = Effect.fnUntraced(function* (self: Memory, origin: string, jobId: string) {
  const now = yield* Clock.currentTimeMillis
  const known = yield* untilWritten(jobId, recall(self, origin))
  if (known?.revokedAt !== undefined) return yield* new Untrusted({ problem: "its trust was revoked" })
  if (known?.provedAt !== undefined && known.changedKey === undefined && now - known.provedAt < lasts.proof) {
    return true
  }
  const failure = self.failures.get(origin)
  if (failure !== undefined && now < failure.until) return yield* new Untrusted({ problem: failure.problem })
  return false
})

/** One handshake with an origin at a time: whoever comes meanwhile takes its end. */
const inTurn = <A, E>({ turns }: Memory, origin: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const turn = turns.get(origin) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
      turn.users++
      turns.set(origin, turn)
      return turn
    }),
    ({ semaphore }) => semaphore.withPermits(1)(effect),
    (turn) =>
      Effect.sync(() => {
        turn.users--
        if (turn.users === 0) turns.delete(origin)
      })
  )

/** Takes in the key that an origin has proved. */
const judge = Effect.fnUntraced(function* (self: Memory, origin: string, jobId: string, publicKey: string) {
  const now = yield* Clock.currentTimeMillis
  const known = yield* untilWritten(jobId, recall(self, origin))
  // an operator may have spoken while it was proved
  if (known?.revokedAt !== undefined) return yield* new Untrusted({ problem: "its trust was revoked" })
  if (known?.publicKey === undefined || known.publicKey === publicKey) {
    self.failures.delete(origin)
    const proved = { origin, publicKey, provedAt: now, changedKey: undefined, revokedAt: undefined }
    return yield* untilWritten(jobId, save(self, proved))
  }
  if (known.changedKey !== publicKey) {
    yield* Effect.logError(
      `L8: ${origin} proves another key than the one it was trusted with; nothing signed is sent there until it proves the old one, or its trust is forgotten by hand`
    )
    yield* untilWritten(jobId, save(self, { ...known, changedKey: publicKey }))
  }
  return yield* fail(self, origin, now, "its key has changed; an operator must forget the old one first")
})

const recall = ({ read, store }: Memory, origin: string) =>
  read.has(origin)
    ? Effect.succeed(read.get(origin))
    : Effect.tap(store.l8Trust(origin), (found) => Effect.sync(() => put(read, origin, found)))

const save = ({ read, store }: Memory, trust: StoredTrust) =>
  Effect.suspend(() => {
    put(read, trust.origin, trust)
    return store.saveL8Trust(trust)
  })

const fail = ({ failures }: Memory, origin: string, now: number, problem: string) =>
  Effect.suspend(() => {
    put(failures, origin, { until: now + lasts.failure, problem })
    return Effect.fail(new Untrusted({ problem }))
  })

/** Keeps the newest of many. */
const put = <A>(map: Map<string, A>, name: string, value: A): void => {
  map.delete(name)
  map.set(name, value)
  if (map.size <= most) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}

const most = 10_000
