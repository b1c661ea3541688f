/**
 * What the API does with lanes: show them, stop them, let them go on, set their pace, take everything back.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { canonicalLane } from "../../job/LaneName.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import { isObject, readJson } from "../../intake/Body.ts"
import { badField, type Refused } from "../../intake/Refusal.ts"
import type { Limits } from "../../intake/Limits.ts"
import type { LaneAction } from "../../lane/Steering.ts"
import { log, page, view } from "../../api/LaneShapes.ts"

/** What the API does with lanes; `customer` is who is noted down. */
export interface Lanes {
  readonly list: (query: {
    readonly limit?: number
    readonly cursor?: string
    readonly prefix?: string
  }) => Effect.Effect<Answer, Refused>
  readonly get: (lane: string) => Effect.Effect<Answer, Refused>
  readonly change: (
    action: "pause" | "resume" | "pace" | "reset",
    customer: string,
    lane: string,
    body: Uint8Array
  ) => Effect.Effect<Answer, Refused>
  readonly log: (lane: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ steering }: Pick<Engine["Service"], "steering">, limits: Limits): Lanes => ({
  list: ({ cursor, limit = defaultPage, prefix }) =>
    Effect.map(orRefused(steering.list({ after: cursor, limit, prefix })), (listed) => json(200, page(listed))),
  get: (given) =>
    Effect.flatMap(named(given), (lane) =>
      Effect.map(orRefused(steering.get(lane)), (status) => json(200, view(status)))
    ),
  change: Effect.fnUntraced(function* (verb, customer, given, body) {
    const lane = yield* named(given)
    const action = yield* Effect.fromResult(read(verb, body, limits))
    return json(200, view(yield* orRefused(steering.change(lane, customer, action))))
  }),
  log: (given) =>
    Effect.flatMap(named(given), (lane) =>
      Effect.map(orRefused(steering.log(lane, logPage)), (entries) => json(200, log(entries)))
    )
})

const named = (given: string): Effect.Effect<string, Refused> => {
  const lane = canonicalLane(given)
  return lane === undefined || given.length > 300
    ? Effect.fail(badField("lane", "Expected a host or host:port"))
    : Effect.succeed(lane)
}

const read = (
  verb: "pause" | "resume" | "pace" | "reset",
  body: Uint8Array,
  limits: Limits
): Result.Result<LaneAction, Refused> =>
  Result.flatMap(body.length === 0 ? Result.succeed({}) : readJson(body, limits), (given) => {
    if (!isObject(given)) return fail("body", "Expected object")
    const known = FIELDS[verb]
    const unknown = Object.keys(given).find((key) => !known.includes(key))
    if (unknown !== undefined) {
      const list = known.length === 0 ? "takes no fields" : `is not one of ${known.join(", ")}`
      return fail(unknown.slice(0, 64), list, "unknown_field")
    }
    switch (verb) {
      case "pause": {
        const { note = null } = given
        return note === null || (typeof note === "string" && note.length <= noteLength && !note.includes("\0"))
          ? Result.succeed({ _tag: "Pause", note: note ?? undefined })
          : fail("note", `Expected text of at most ${noteLength} characters`)
      }
      case "pace":
        return paceIn(given)
      case "resume":
        return Result.succeed({ _tag: "Resume" })
      case "reset":
        return Result.succeed({ _tag: "Reset" })
    }
  })

const paceIn = (given: Readonly<Record<string, Schema.Json>>): Result.Result<LaneAction, Refused> => {
  const { max_concurrent: maxConcurrent = null, rps = null } = given
  if (rps === null && maxConcurrent === null) return fail("rps", "Expected rps, max_concurrent or both")
  if (rps !== null && (typeof rps !== "number" || rps < slowest || rps > fastest)) {
    return fail("rps", `Expected a number from ${slowest} to ${fastest}; to stop a lane, pause it`)
  }
  const isCount = typeof maxConcurrent === "number" && Number.isInteger(maxConcurrent)
  return maxConcurrent === null || (isCount && maxConcurrent >= 1 && maxConcurrent <= widest)
    ? Result.succeed({ _tag: "Pace", rps: rps ?? undefined, maxConcurrent: maxConcurrent ?? undefined })
    : fail("max_concurrent", `Expected a whole number from 1 to ${widest}`)
}

const fail = (field: string, problem: string, code?: string) => Result.fail(badField(field, problem, code))

const FIELDS: Readonly<Record<"pause" | "resume" | "pace" | "reset", ReadonlyArray<string>>> = {
  pause: ["note"],
  resume: [],
  pace: ["rps", "max_concurrent"],
  reset: []
}

const defaultPage = 100
const logPage = 200
const noteLength = 500
const slowest = 0.001
const fastest = 100_000
const widest = 10_000
