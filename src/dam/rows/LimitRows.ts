/** Limits as rows, and back. Rows are read through schemas, as in `JobRows`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Draw } from "../../step/StepModel.ts"
import type { LimitPort } from "../store/LimitRecords.ts"
import type { Executor } from "./Running.ts"
import { reader } from "./Reader.ts"

/** A limit, as it is kept. */
export const LimitRecord = Schema.Struct({
  rate: Schema.UndefinedOr(Schema.Number),
  per: Schema.Number,
  burst: Schema.Number,
  concurrency: Schema.UndefinedOr(Schema.Number),
  settle: Schema.UndefinedOr(
    Schema.Union([Schema.Struct({ header: Schema.String }), Schema.Struct({ json: Schema.String })])
  ),
  weights: Schema.Record(Schema.String, Schema.Number)
})

const LimitText = Schema.fromJsonString(Schema.toCodecJson(LimitRecord))

const LoadedLimit = Schema.Struct({
  name: Schema.String,
  definition: LimitText,
  at: Schema.Number,
  actor: Schema.String
})

const LoadedLevel = Schema.Struct({
  name: Schema.String,
  key: Schema.String,
  level: Schema.Number,
  at: Schema.Number
})

const encodeLimit = Schema.encodeSync(LimitText)

/** What limits need of the store, over any database. */
export const limitPort = (run: Executor): LimitPort => ({
  limits: Effect.flatMap(run("limits"), readLimits),
  saveLimit: ({ at, by, limit, name }) => run("saveLimit", name, encodeLimit(limit), at, by),
  removeLimit: (name) => run("removeLimit", name),
  drawing: (name) => run("drawing", name),
  levels: Effect.flatMap(run("levels"), ({ levels, others }) =>
    Effect.map(readLevels(levels), (read) => ({ others, levels: read }))
  ),
  saveLevels: ({ levels, others }, isAll) =>
    run(
      "saveLevels",
      levels.map(({ at, key, level, name }) => [name, key, level, at] as const),
      { others, isAll }
    )
})

const readLimits = reader(Schema.Array(LoadedLimit), (rows) =>
  rows.map(({ actor, at, definition, name }) => ({ name, limit: definition, at, by: actor }))
)

const readLevels = reader(Schema.Array(LoadedLevel), (rows) => rows)

/** What a job draws on, as it stands beside it: name, key and cost of each; nothing where it draws on nothing. */
export const encodeDraws = (draws: ReadonlyArray<Draw>): string | undefined =>
  draws.length === 0 ? undefined : JSON.stringify(draws.map(({ cost, key, name }) => [name, key, cost]))

/** The same as a lane takes it. */
export const LoadedDraws = Schema.NullOr(
  Schema.fromJsonString(Schema.Array(Schema.Tuple([Schema.String, Schema.String, Schema.Number])))
)

/** What of it is read. */
export const toDraws = (draws: typeof LoadedDraws.Type): ReadonlyArray<Draw> | undefined =>
  draws?.map(([name, key, cost]) => ({ name, key, cost }))
