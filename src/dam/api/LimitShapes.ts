/**
 * Limits that calls draw on, as they are seen and set.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Limit as CallLimit } from "../../engine/limits/Limit.ts"
import { LimitName } from "../../step/Fields.ts"
import type { LimitLevel, LimitStatus } from "../lane/CallLimits.ts"
import type { LimitOptions } from "../lane/LimitOptions.ts"
import { Amount, Count, Moment, nullable, optional, word } from "./Parts.ts"

/** Where an answer tells what its call has cost: one of both. */
const Settle = Schema.Struct({ header: optional(Schema.String), json: optional(Schema.String) }).annotate({
  identifier: "Settle"
})

const Level = Schema.Struct({
  /** Empty where all calls share one. */
  key: Schema.String,
  /** Below zero what is owed; null where units are not counted. */
  available: Schema.NullOr(Schema.Finite),
  open: Count,
  waiting: Count
}).annotate({ identifier: "LimitLevel" })

/** A limit, who defined it, and how it stands. */
export const Limit = Schema.Struct({
  name: Schema.String,
  rate: Schema.NullOr(Amount),
  per_ms: Amount,
  burst: Schema.NullOr(Amount),
  concurrency: Schema.NullOr(Count),
  settle: Schema.NullOr(Settle),
  weights: Schema.Record(Schema.String, Amount),
  source: word(["configured", "operator"]),
  since: Schema.NullOr(Moment),
  by: Schema.NullOr(Schema.String),
  /** Keys in use now; one that has rested is as new, and not listed. */
  levels: Schema.Array(Level)
}).annotate({ identifier: "Limit" })

/** All limits. */
export const LimitList = Schema.Struct({ limits: Schema.Array(Limit) }).annotate({ identifier: "LimitList" })

/** What holds after a definition was taken back: that of the configuration, or nothing. */
export const LimitLeft = Schema.Struct({ limit: Schema.NullOr(Limit) }).annotate({ identifier: "LimitLeft" })

const above = Schema.Finite.check(
  Schema.makeFilter((value: number) => value > 0, {
    expected: "a number above 0",
    toJsonSchema: () => ({ exclusiveMinimum: 0 })
  })
)

/** A whole definition: what is left out or null has its default. */
export const LimitChoice = Schema.Struct({
  rate: nullable(above),
  per_ms: nullable(above),
  burst: nullable(above),
  concurrency: nullable(Count),
  settle: nullable(Settle),
  weights: nullable(Schema.Record(Schema.String, above))
}).annotate({ identifier: "LimitChoice" })

/** The name of a limit in a path. */
export const name = { name: LimitName }

/** The definition as the dam takes it; what cannot be is not looked at here. */
export const optionsOf = (choice: typeof LimitChoice.Type): LimitOptions => ({
  rate: choice.rate ?? undefined,
  per: choice.per_ms ?? undefined,
  burst: choice.burst ?? undefined,
  concurrency: choice.concurrency ?? undefined,
  // one of both, which is checked with the rest
  settle: (choice.settle as CallLimit["settle"] | null) ?? undefined,
  weights: choice.weights ?? undefined
})

/** Shows a limit. Whoever is no operator learns neither who the other customers are nor which keys they use. */
export const view = (
  { by, levels, limit, name, since, source }: LimitStatus,
  isOperator: boolean
): typeof Limit.Encoded => ({
  name,
  rate: limit.rate ?? null,
  per_ms: limit.per,
  burst: limit.rate === undefined ? null : limit.burst,
  concurrency: limit.concurrency ?? null,
  settle: limit.settle ?? null,
  weights: isOperator ? limit.weights : {},
  source,
  since: since ?? null,
  by: (isOperator ? by : undefined) ?? null,
  levels: levels.filter(({ key }) => isOperator || key === "").map(level)
})

const level = ({ available, key, open, waiting }: LimitLevel): typeof Level.Encoded => ({
  key,
  available: available ?? null,
  open,
  waiting
})
