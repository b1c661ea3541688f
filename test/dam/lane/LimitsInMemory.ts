/**
 * Limits that are defined and forgotten with the process: for tests of what is said about them.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Limit } from "../../../src/engine/limits/Limit.ts"
import { type CallLimits, LimitInUse, type LimitStatus } from "../../../src/dam/lane/CallLimits.ts"

/** What they go by. */
export interface InMemoryOptions {
  readonly configured?: Readonly<Record<string, Limit>> | undefined
  /** How many jobs draw on a limit. Defaults to none. */
  readonly drawing?: ((name: string) => number) | undefined
  /** How much of a limit is left. Defaults to nothing known. */
  readonly levels?: ((name: string) => LimitStatus["levels"]) | undefined
}

/**
 * Makes the port.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ configured = {}, drawing = () => 0, levels = () => [] }: InMemoryOptions = {}): CallLimits => {
  const chosen = new Map<string, Pick<LimitStatus, "by" | "limit" | "since">>()
  const own = new Map(Object.entries(configured))
  const names = () => [...new Set([...own.keys(), ...chosen.keys()])].toSorted()
  const statusOf = (name: string): LimitStatus | undefined => {
    const changed = chosen.get(name)
    if (changed !== undefined) return { name, source: "operator", ...changed, levels: levels(name) }
    const limit = own.get(name)
    return limit && { name, limit, source: "configured", since: undefined, by: undefined, levels: levels(name) }
  }
  return {
    isKnown: (name) => chosen.has(name) || own.has(name),
    definition: (name) => chosen.get(name)?.limit ?? own.get(name),
    names,
    list: Effect.sync(() => names().flatMap((name) => statusOf(name) ?? [])),
    get: (name) => Effect.sync(() => statusOf(name)),
    set: Effect.fnUntraced(function* (name, limit, by) {
      const since = yield* Clock.currentTimeMillis
      chosen.set(name, { limit, since, by })
      return { name, limit, source: "operator", since, by, levels: levels(name) }
    }),
    remove: (name) =>
      Effect.suspend(() => {
        const jobs = own.has(name) ? 0 : drawing(name)
        if (jobs > 0) return Effect.fail(new LimitInUse({ limit: name, jobs }))
        chosen.delete(name)
        return Effect.succeed(statusOf(name))
      })
  }
}
