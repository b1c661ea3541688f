/** What `ezthrottle limits` does. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Shapes from "../../dam/api/LimitShapes.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"

type Limit = typeof Shapes.Limit.Type

export const list = Effect.gen(function* () {
  const service = yield* Service
  const { json, value } = yield* service.call({ path: "/api/v1/limits", schema: Shapes.LimitList })
  yield* Output.print(json, (paint) => table(paint, value.limits))
})

const table = (paint: Output.Paint, limits: ReadonlyArray<Limit>): string =>
  limits.length === 0
    ? "no limits"
    : Output.table(
        paint,
        ["LIMIT", "RATE", "AT ONCE", "FROM", "KEYS", "OPEN", "WAITING"],
        limits.map(({ concurrency, levels, source, ...limit }) => [
          limit.name,
          rateOf(limit),
          concurrency === null ? "" : String(concurrency),
          source,
          String(levels.length),
          String(levels.reduce((sum, { open }) => sum + open, 0)),
          String(levels.reduce((sum, { waiting }) => sum + waiting, 0))
        ])
      )

const rateOf = ({ burst, per_ms: per, rate }: Pick<Limit, "burst" | "per_ms" | "rate">): string => {
  if (rate === null) return ""
  const atOnce = burst === null || burst === rate ? "" : `, ${burst} at once`
  return `${rate} per ${spanOf(per)}${atOnce}`
}

/** As it was set, in the largest unit that says it exactly. */
const spanOf = (millis: number): string => {
  const [unit, size] = units.find(([, size]) => millis % size === 0) ?? ["ms", 1]
  return `${millis / size}${unit}`
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000]
] as const

export const show = (name: string) => one({ path: pathOf(name), schema: Shapes.Limit })

const one = Effect.fnUntraced(function* (call: {
  readonly method?: "PUT"
  readonly path: string
  readonly body?: Schema.Json
  readonly schema: typeof Shapes.Limit
}) {
  const service = yield* Service
  const { json, value } = yield* service.call(call)
  yield* Output.print(json, (paint) => whole(paint, value))
})

/** A limit with all that is known of it, a line for each key in use. */
const whole = (paint: Output.Paint, limit: Limit): string => {
  const { by, levels, settle, since, weights } = limit
  const weighed = Object.entries(weights).map(([customer, weight]) => `${Output.plain(customer)} ${weight}`)
  return [
    table(paint, [limit]),
    ...(settle === null ? [] : [`settled by ${Output.plain(settle.header ?? settle.json ?? "", 200)} of the answer`]),
    ...(weighed.length === 0 ? [] : [`weights: ${weighed.join(", ")}; all others 1`]),
    ...(by === null || since === null ? [] : [`set by ${Output.plain(by, 40)} at ${Output.time(since)}`]),
    ...(levels.length === 0
      ? []
      : [
          Output.table(
            paint,
            ["KEY", "AVAILABLE", "OPEN", "WAITING"],
            levels.map(({ available, key, open, waiting }) => [
              key === "" ? "(all)" : Output.plain(key, 60),
              available === null ? "" : String(Number(available.toPrecision(6))),
              String(open),
              String(waiting)
            ])
          )
        ])
  ].join("\n")
}

/** A whole definition; what is left out has its default. */
export interface Definition {
  readonly rate: number | undefined
  readonly per: number | undefined
  readonly burst: number | undefined
  readonly concurrency: number | undefined
  readonly settleJson: string | undefined
  readonly settleHeader: string | undefined
  readonly weights: Readonly<Record<string, string>>
}

export const set = Effect.fnUntraced(function* (name: string, definition: Definition) {
  const { burst, concurrency, per, rate, settleHeader: header, settleJson: json } = definition
  if (rate === undefined && concurrency === undefined) {
    return yield* problem("usage", "nothing is limited", { next: "say --rate, --concurrency or both" })
  }
  if (header !== undefined && json !== undefined) {
    return yield* problem("usage", "--settle-header and --settle-json exclude each other", { next: "say one of them" })
  }
  const weights = yield* weightsOf(definition.weights)
  yield* one({
    method: "PUT",
    path: pathOf(name),
    schema: Shapes.Limit,
    body: {
      rate: rate ?? null,
      per_ms: per ?? null,
      burst: burst ?? null,
      concurrency: concurrency ?? null,
      settle: header !== undefined ? { header } : json === undefined ? null : { json },
      weights
    }
  })
})

const weightsOf = (given: Definition["weights"]) =>
  Effect.gen(function* () {
    const weights: { [customer: string]: number } = {}
    for (const [customer, text] of Object.entries(given)) {
      const weight = Number(text)
      if (!(weight > 0 && Number.isFinite(weight))) {
        return yield* problem("usage", `--weight ${customer}=${text}: a weight is a number above 0`)
      }
      weights[customer] = weight
    }
    return weights
  })

export const remove = Effect.fnUntraced(function* (name: string) {
  const service = yield* Service
  const { json, value } = yield* service.call({ method: "DELETE", path: pathOf(name), schema: Shapes.LimitLeft })
  yield* Output.print(json, (paint) => (value.limit === null ? `${name} is deleted` : whole(paint, value.limit)))
})

const pathOf = (name: string): string => `/api/v1/limits/${encodeURIComponent(name)}`
