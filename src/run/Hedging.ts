/**
 * Calls that are made once more beside themselves when they are slow: the first acceptable answer wins, and what is still
 * under way then is interrupted. When and whether is decided by `engine/Hedge`.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { endsPath, isTooMany } from "../engine/Decide.ts"
import * as Hedge from "../engine/Hedge.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Facts } from "./Execution.ts"
import type { Path } from "./PathUnderWay.ts"
import * as Targets from "./Targets.ts"

/** Makes one exchange of a path; what it sends is sent within `around`, once its turn has come. */
export type Make = (
  path: Path,
  facts: Facts,
  around: (sent: Effect.Effect<EndedAttempt>) => Effect.Effect<EndedAttempt>
) => Effect.Effect<EndedAttempt>

/** Whether the calls of a path are hedged: nothing else of it is under way, and they may be carried out twice. */
export const isHedged = ({ alone, policy, step }: Path): boolean =>
  step.hedge !== undefined && alone && policy.isCareful !== true

/** Makes an exchange, and others beside it while it is slow. Answers the one that won, else the first. */
export const exchange = (path: Path, facts: Facts, make: Make): Effect.Effect<EndedAttempt> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { execution, request, transport } = path
      const self: Race = {
        path,
        target: Targets.keeping(execution.host.hedges ?? Targets.targetsOf(transport), request.url, Hedge.unknown),
        left: yield* Deferred.make<void>(),
        won: yield* Deferred.make<EndedAttempt>(),
        sentAt: 0,
        first: undefined,
        underWay: 0
      }
      // what breaks one of them breaks the exchange
      const run = (one: Effect.Effect<EndedAttempt>) =>
        Effect.forkScoped(Effect.catchCause(one, (cause) => Deferred.failCause(self.won, cause)))
      const first = make(path, facts, (sent) => Effect.andThen(leaves(self), counted(self, sent, true)))
      yield* run(first)
      yield* Effect.forkScoped(
        beside(self, (nth, pause) => {
          const region = regionOf(path, facts, nth)
          return run(another(self, make, { ...facts, kind: "hedge", racer: nth, region, pause }))
        })
      )
      return yield* Deferred.await(self.won)
    })
  )

/** An exchange and its hedges under way. */
interface Race {
  readonly path: Path
  readonly target: Targets.Keeping<Hedge.Target>
  /** The first call has left. */
  readonly left: Deferred.Deferred<void>
  readonly won: Deferred.Deferred<EndedAttempt>
  /** Monotonic millisecond at which it left. */
  sentAt: number
  /** How it ended. */
  first: EndedAttempt | undefined
  /** Calls that have left and not ended. */
  underWay: number
}

const leaves = (self: Race): Effect.Effect<void> =>
  Effect.flatMap(monotonicMillis, (now) => {
    self.sentAt = now
    self.target.change(Hedge.called)
    return Effect.asVoid(Deferred.succeed(self.left, undefined))
  })

/** Makes hedges, each when the call has been slow once more, until there is nothing to wait for or no more to spend. */
const beside = Effect.fnUntraced(function* <A>(
  self: Race,
  make: (nth: number, pause: number) => Effect.Effect<A, never, Scope.Scope>
) {
  const { hedge } = self.path.step
  if (hedge === undefined) return
  yield* Deferred.await(self.left)
  const wait = Hedge.slowAfter(hedge, self.target.now())
  for (let nth = 1; nth <= hedge.max; nth++) {
    yield* Effect.sleep(wait)
    const paid = self.first === undefined ? Hedge.paid(self.target.now(), yield* monotonicMillis) : undefined
    if (paid === undefined) return
    self.target.change(() => paid)
    yield* make(nth, wait * nth)
  }
})

/** One more of a call. One that never left is not paid for: its turn did not come, or came when the first had ended. */
const another = (self: Race, make: Make, facts: Facts): Effect.Effect<EndedAttempt> => {
  let hasLeft = false
  const around = (sent: Effect.Effect<EndedAttempt>) =>
    Effect.suspend(() => {
      if (self.first !== undefined) return Effect.never
      hasLeft = true
      return counted(self, sent, false)
    })
  return Effect.onInterrupt(make({ ...self.path, alone: false }, facts, around), () =>
    Effect.sync(() => (hasLeft ? undefined : self.target.change(Hedge.givenBack)))
  )
}

/** Told before its permit is given back, so that no other call of the race takes it. */
const counted = (self: Race, sent: Effect.Effect<EndedAttempt>, isFirst: boolean): Effect.Effect<EndedAttempt> => {
  self.underWay++
  return Effect.tap(sent, (attempt) =>
    Effect.flatMap(monotonicMillis, (now) => {
      self.target.change((target) => Hedge.ended(target, attempt.ending, attempt.latency, now))
      self.underWay--
      if (isFirst) self.first = attempt
      if (!isAcceptable(self.path, attempt))
        return self.underWay === 0 && self.first !== undefined ? Deferred.succeed(self.won, self.first) : Effect.void
      // it would have taken longer still: a target that is seen only where it is quick looks quicker than it is
      if (self.first === undefined) self.target.change((target) => Hedge.took(target, now - self.sentAt, now))
      return Deferred.succeed(self.won, attempt)
    })
  )
}

const regionOf = ({ budget, step }: Path, { region }: Facts, nth: number): string | undefined =>
  step.hedge?.to === "region" ? (budget.spare[nth - 1] ?? region) : region

/** As in a race of regions: a success, or an answer that the policy would not try again on. A refusal may wait. */
const isAcceptable = ({ policy }: Path, { ending }: EndedAttempt): boolean =>
  ending._tag === "Answered" && endsPath(policy, ending) && !isTooMany(ending) && ending.status < 500

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
