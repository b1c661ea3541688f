import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FieldReader from "../../src/step/FieldReader.ts"
import * as Rules from "../../src/step/FieldRules.ts"
import * as Fields from "../../src/step/Fields.ts"
import * as HeaderFields from "../../src/step/HeaderFields.ts"
import { InvalidStep } from "../../src/step/InvalidStep.ts"
import { invalid } from "../../src/step/StepIssue.ts"

/** What was read, or the refusal: its field and its words. */
type Verdict = { readonly read: unknown } | { readonly refused: string }

const bySchema = (schema: Schema.ConstraintDecoder<unknown>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (value: unknown): Verdict =>
    Result.match(decode(value), {
      onSuccess: (read) => ({ read }),
      onFailure: ({ issue }) => ({ refused: invalid("field", issue).message })
    })
}

const byReader =
  (read: FieldReader.Reader<unknown>) =>
  (value: unknown): Verdict =>
    Result.match(
      Result.try(() => read(value, "field")),
      {
        onSuccess: (read) => ({ read }),
        onFailure: (error) => {
          assert.instanceOf(error, InvalidStep)
          return { refused: error.message }
        }
      }
    )

const codes = FieldReader.list(FieldReader.number(Rules.code))
const regions = FieldReader.list(FieldReader.text(Rules.region))
const retries = FieldReader.number(Rules.retries)

const fields: Readonly<Record<string, readonly [Schema.ConstraintDecoder<unknown>, FieldReader.Reader<unknown>]>> = {
  url: [Fields.Url, FieldReader.text(Rules.url)],
  method: [Fields.Method, FieldReader.text(Rules.method)],
  headers: [HeaderFields.Headers, FieldReader.record(FieldReader.anyText, Rules.headers)],
  text: [Schema.String, FieldReader.anyText],
  flag: [Schema.Boolean, FieldReader.flag],
  word: [Schema.Literals(["fallback", "strict"]), FieldReader.oneOf("fallback", "strict")],
  json: [Schema.Json, FieldReader.json],
  metadata: [Fields.Metadata, FieldReader.record(FieldReader.json)],
  codes: [Fields.Codes, codes],
  "codes that may be left out": [Schema.UndefinedOr(Fields.Codes), FieldReader.optional("array", codes)],
  retries: [Fields.Count, retries],
  "retries that may be left out": [Schema.UndefinedOr(Fields.Count), FieldReader.optional("number", retries)],
  quorum: [Fields.Quorum, FieldReader.number(Rules.quorum)],
  moment: [Fields.EpochMillis, FieldReader.number(Rules.epochMillis)],
  key: [Fields.IdempotentKey, FieldReader.text(Rules.idempotentKey)],
  "place in a call": [Fields.FillInto, FieldReader.text(Rules.fillInto)],
  "place in an answer": [Fields.FillFrom, FieldReader.text(Rules.fillFrom)],
  "name of a limit": [Fields.LimitName, FieldReader.text(Rules.limitName)],
  "key of a limit": [Fields.LimitKey, FieldReader.text(Rules.limitKey)],
  cost: [Fields.LimitCost, FieldReader.number(Rules.limitCost)],
  regions: [Fields.Regions, regions],
  webhooks: [
    Schema.Array(Schema.Struct({ url: Fields.Url, regions: Fields.Regions, hasQuorumVote: Schema.Boolean })),
    FieldReader.list(FieldReader.struct({ url: FieldReader.text(Rules.url), regions, hasQuorumVote: FieldReader.flag }))
  ]
}

const Scrap = Schema.Union([
  Schema.Json,
  Schema.Unknown,
  Schema.Number,
  Schema.Literals([
    "GET",
    "get it",
    "https://a.example/b",
    "ftp://a.example",
    "",
    " ",
    "iad",
    "strict",
    "a\n",
    "é".repeat(128)
  ]),
  Schema.Literals([0, -1, 1, 99, 100, 200, 599, 600, 1.5, 2 ** 53])
])

const Name = Schema.Literals(["a", "A", "content-type", "Content-Type", "x y", "", "__proto__", "7", "url", "regions"])

// what is nearly right tells more than what is not right at all
const Near = Schema.Union([
  Scrap,
  Schema.Array(Scrap),
  Schema.Record(Name, Scrap),
  Schema.Record(Name, Schema.String),
  Schema.Array(
    Schema.Struct({
      url: Schema.Union([Scrap, Schema.Literal("http://a.example")]),
      regions: Schema.Array(Scrap),
      hasQuorumVote: Scrap
    })
  )
])

const around: { inside?: object } = {}
around.inside = around

class Instance {
  readonly name = "a"
}

const twice = { a: 1 }

const odd: ReadonlyArray<unknown> = [
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -0,
  7n,
  Symbol("odd"),
  () => 1,
  around,
  new Instance(),
  new Map([["a", "b"]]),
  new Headers({ a: "b" }),
  new Uint8Array(2),
  new String("GET"),
  Object.create(null),
  Object.create({ a: "inherited" }),
  Object.defineProperty({}, "hidden", { value: 1 }),
  { [Symbol("odd")]: 1 },
  JSON.parse('{"__proto__":"x"}'),
  // oxlint-disable-next-line no-sparse-arrays -- a hole is what is meant
  [200, , 201],
  Object.assign([200], { extra: 1 }),
  { length: 1, 0: 200 },
  [twice, twice],
  { a: undefined },
  { a: [{ b: Number.NaN }] },
  [{ url: "http://a.example", regions: [], hasQuorumVote: true, more: 1 }]
]

describe("laws of the fields of a step", () => {
  for (const [name, [schema, read]] of Object.entries(fields)) {
    const [schemaSays, readerSays] = [bySchema(schema), byReader(read)]

    it.prop(`${name}: the reader reads and refuses as the schema does, in the same words`, [Near], ([value]) => {
      assert.deepStrictEqual(readerSays(value), schemaSays(value))
    })

    it(`${name}: the same for what is odd`, () => {
      for (const value of odd) assert.deepStrictEqual(readerSays(value), schemaSays(value))
    })
  }

  it("JSON is read however deep it is", () => {
    let deep: Schema.Json = []
    for (let level = 0; level < 100_000; level++) deep = [deep]
    assert.isTrue(Option.isSome(Option.liftThrowable(() => FieldReader.json(deep, "field"))()))
  })
})
