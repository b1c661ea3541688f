/** The small generators that random steps are put together from. */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { adding } from "../step/Draws.ts"
import { adding as filling } from "../step/Fills.ts"
import type { Draw, Fill, Idempotency, Trigger, Webhook } from "../step/StepModel.ts"

export const nothing = Arbitrary.Constant(undefined)

export const bool = Arbitrary.schema(Schema.Boolean)

export const text = Arbitrary.schema(Schema.String)

export const between = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

export const matching = (pattern: RegExp): Arbitrary.Arbitrary<string> =>
  Arbitrary.schema(Schema.String.check(Schema.isPattern(pattern)))

export const oneOf = <const A>(values: readonly [A, ...ReadonlyArray<A>]): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(between(0, values.length - 1), (index) => values[index] ?? values[0])

export const optional = <A>(of: Arbitrary.Arbitrary<A>): Arbitrary.Arbitrary<A | undefined> =>
  Arbitrary.flatMap(bool, (given): Arbitrary.Arbitrary<A | undefined> => (given ? of : nothing))

export const duration = Arbitrary.map(between(1, 600_000), Duration.millis)

export const codes = Arbitrary.array(oneOf([200, 400, 404, 409, 429, 500, 502, 503, 504]), { maxLength: 4 })

export const webhook: Arbitrary.Arbitrary<Webhook> = Arbitrary.all({
  url: oneOf(["https://hooks.example/done", "https://audit.example/hook?from=test"]),
  regions: Arbitrary.array(oneOf(["iad", "lax"]), { maxLength: 2 }),
  hasQuorumVote: bool
})

// few names and keys, each pair of them once
export const limits: Arbitrary.Arbitrary<ReadonlyArray<Draw>> = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.all({
      name: oneOf(["openai-tokens", "acme.writes"]),
      key: oneOf(["", "acme"]),
      cost: oneOf([1, 0.5, 1200])
    }),
    { maxLength: 2 }
  ),
  (draws) => draws.reduce<ReadonlyArray<Draw>>(adding, [])
)

export const fills: Arbitrary.Arbitrary<ReadonlyArray<Fill>> = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.all({
      into: oneOf(["/query/taken", "/headers/X-Taken", "/headers/If-Match"]),
      from: oneOf([
        "/response/status",
        "/response/headers/retry-after",
        "/response/body",
        "/response/body/a~1b",
        "/metadata/tenant"
      ])
    }),
    { maxLength: 2 }
  ),
  (some) => some.reduce<ReadonlyArray<Fill>>((before, one) => filling(before, [one]), [])
)

export const idempotency: Arbitrary.Arbitrary<Idempotency> = Arbitrary.flatMap(
  oneOf(["Hash", "Unique", "Custom"]),
  (tag): Arbitrary.Arbitrary<Idempotency> =>
    tag === "Custom"
      ? Arbitrary.map(matching(/^[ -~\xa0-\xff]{1,60}$/), (key) => ({ _tag: tag, key }))
      : Arbitrary.Constant({ _tag: tag })
)

export const trigger: Arbitrary.Arbitrary<Trigger> = Arbitrary.flatMap(
  oneOf(["Any", "OnError", "OnTimeout"]),
  (tag): Arbitrary.Arbitrary<Trigger> => {
    switch (tag) {
      case "Any":
        return Arbitrary.Constant({ _tag: tag })
      case "OnError":
        return Arbitrary.map(codes, (on) => ({ _tag: tag, codes: on }))
      case "OnTimeout":
        return Arbitrary.map(duration, (after) => ({ _tag: tag, after }))
    }
  }
)

// built rather than filtered: names that differ in case only are refused, so the later one wins
export const headers: Arbitrary.Arbitrary<Readonly<Record<string, string>>> = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.all([matching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/), matching(/^[\t -~\x80-\xff]{0,12}$/)]),
    {
      maxLength: 4
    }
  ),
  (entries) =>
    Object.fromEntries(new Map(entries.map(([name, value]) => [name.toLowerCase(), [name, value] as const])).values())
)
