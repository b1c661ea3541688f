/** One of the regions in which a path is under way: an attempt, then what the schedule of the path says. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { isFinal } from "../engine/Decide.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Facts } from "./Execution.ts"
import { perform } from "./Execution.ts"
import { isGoodAttempt } from "./GoodAttempt.ts"
import * as Hedging from "./Hedging.ts"
import * as Judge from "./Judge.ts"
import { isOf } from "./PathEnd.ts"
import type { Path } from "./PathUnderWay.ts"
import { readResponse } from "./Reading.ts"
import { sending } from "./Sending.ts"
import { inTurn, pacing, pauseFor, repose } from "./Turns.ts"

/** Runs a racer from a region, or from the last of the attempts behind it, until it has nothing left to try. */
export const run = Effect.fnUntraced(function* (
  path: Path,
  racer: number,
  start: string | undefined,
  before: ReadonlyArray<EndedAttempt>
): Effect.fn.Return<EndedAttempt> {
  const resumed = before.at(-1)
  let facts: Facts = { path: path.index, racer, kind: "start", region: resumed?.region ?? start, pause: 0 }
  let attempt = resumed ?? (yield* exchange(path, facts))
  const { host } = path.execution
  // what a resumed run has waited already, and whether that was all of it
  let waited =
    resumed === undefined || host.goesOn
      ? 0
      : Math.max(0, (yield* Clock.currentTimeMillis) - (resumed.at + resumed.latency))
  let rested = resumed === undefined ? undefined : host.rested
  // made when it is needed: most steps succeed at once
  let judge: Judge.Judge | undefined
  while (true) {
    const again =
      host.repeatsAfter === undefined ? undefined : yield* host.repeatsAfter(path.step, path.request, attempt)
    if (again !== undefined) {
      if (again > 0) yield* repose(path, again)
      facts = { ...facts, kind: "repeat", region: attempt.region, pause: waited + again }
      waited = 0
      rested = undefined
      attempt = yield* exchange(path, facts)
      continue
    }
    const isLast = isFinal(path.policy, attempt.ending, path.patience)
    if (!isLast) judge ??= yield* Judge.make(path, start, before)
    const move = isLast || judge === undefined ? undefined : yield* judge(attempt)
    if (move === undefined) {
      if (!isGoodAttempt(attempt)) path.lost.push(attempt)
      return attempt
    }
    const pause = rested ?? Math.max(move.pause, waited)
    if (rested === undefined && pause > waited) yield* pauseFor(path, pause - waited)
    facts = { ...facts, kind: move.kind, region: move.region, pause }
    waited = 0
    rested = undefined
    attempt = yield* exchange(path, facts)
  }
})

const exchange = (path: Path, facts: Facts): Effect.Effect<EndedAttempt> => {
  if (path.expired) return Effect.never
  return Hedging.isHedged(path) ? Hedging.exchange(path, facts, one) : one(path, facts, identity)
}

const one: Hedging.Make = (path, facts, around) => {
  const { execution, guard, request, step } = path
  return guard === undefined
    ? unguarded(path, facts, around)
    : guard({ step, request, facts, history: execution.history }, (withheld) =>
        withheld === undefined
          ? unguarded(path, facts, around)
          : around(
              perform(execution, { step, facts, send: () => Effect.fail(withheld), read: readResponse(undefined) })
            )
      )
}

const unguarded: Hedging.Make = (path, facts, around) => {
  const { execution, request, step, timeoutMillis, transport } = path
  const { region } = facts
  const sent = perform(execution, {
    step,
    facts,
    send: sending(
      transport,
      { request, region, step, timeoutMillis, attempt: attemptOf(path, facts.racer) },
      execution.until
    ),
    read: readResponse((execution.host.rules ?? transport.rules)?.(request))
  })
  const paced = pacing(execution.host, transport)
  return paced === undefined ? around(sent) : inTurn(path, paced, around(sent))
}

/** Path, racer and how many attempts of theirs have ended. An interrupted one is made again as the same. */
const attemptOf = ({ execution: { history }, index }: Path, racer: number): string => {
  let ended = 0
  for (const attempt of history) if (attempt.racer === racer && isOf(attempt, index)) ended++
  return `${index}.${racer}.${ended}`
}
