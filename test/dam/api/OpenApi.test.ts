import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import { document, type Node, nodes } from "./Document.ts"

const schemas: Node = document["components"].schemas

/** What is a moment goes by these names. */
const isMoment = (name: string) => /(^|_)(at|until|since|from|to|start)$/.test(name)

const typesOf = (schema: Node): ReadonlyArray<string> => [schema["type"] ?? []].flat()

describe("the description that clients are generated from", () => {
  it("has plain numbers, and no text that stands for one", () => {
    const odd = nodes().filter(([, { enum: words }]) => Array.isArray(words) && words.includes("NaN"))
    assert.deepStrictEqual(
      odd.map(([at]) => at),
      []
    )
  })

  it("has no alternatives but a shape or null", () => {
    for (const [at, { allOf, anyOf, oneOf }] of nodes()) {
      assert.isUndefined(allOf ?? oneOf, at)
      if (anyOf !== undefined) assert.deepStrictEqual(anyOf.slice(1), [{ type: "null" }], at)
    }
  })

  it("has every moment as an integer of 64 bits", () => {
    const found = new Set<string>()
    for (const [at, { properties = {} }] of nodes()) {
      for (const [name, schema] of Object.entries<Node>(properties)) {
        if (!isMoment(name) || typesOf(schema).includes("string")) continue
        found.add(name)
        assert.include(schema, { format: "int64", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, `${at}/${name}`)
        assert.include(typesOf(schema), "integer", `${at}/${name}`)
      }
    }
    assert.includeMembers([...found], ["retry_at", "created_at", "until", "since", "next_at", "estimated_start"])
    const query = document["paths"]["/api/v1/dead-letters"].get.parameters
    for (const name of ["since", "until"]) {
      const { schema } = query.find((one: Node) => one["name"] === name)
      assert.include(schema, { type: "integer", format: "int64", minimum: 0 })
    }
  })

  it("has bounds for every whole number, and 64 bits where they need them", () => {
    let count = 0
    for (const [at, node] of nodes()) {
      if (!typesOf(node).includes("integer")) continue
      count++
      assert.isAtLeast(node["minimum"], 0, at)
      assert.isNumber(node["maximum"], at)
      if (node["maximum"] > 0x7fff_ffff) assert.strictEqual(node["format"], "int64", at)
    }
    assert.isAbove(count, 50)
  })

  it("has every number that may have a fraction at its full length", () => {
    const numbers = nodes().filter(([, node]) => typesOf(node).includes("number"))
    assert.isNotEmpty(numbers)
    for (const [at, node] of numbers) assert.strictEqual(node["format"], "double", at)
  })

  it("has the numbers of a query as numbers", () => {
    const bounds = (path: string, name: string) =>
      document["paths"][path].get.parameters.find((one: Node) => one["name"] === name).schema
    assert.deepStrictEqual(bounds("/api/v1/jobs", "limit"), { type: "integer", minimum: 1, maximum: 200 })
    assert.deepStrictEqual(bounds("/api/v1/lanes", "limit"), { type: "integer", minimum: 1, maximum: 1000 })
    assert.deepStrictEqual(bounds("/api/v1/jobs/{id}/wait", "timeout_ms"), {
      type: "integer",
      minimum: 0,
      maximum: 3_600_000
    })
    assert.propertyVal(bounds("/api/v1/jobs", "cursor"), "pattern", "^[0-9A-Za-z_-]{1,64}$")
  })

  it("has one shape for a job that was filed and one that was known, in both dialects", () => {
    for (const [path, name] of [
      ["/api/v1/jobs", "Receipt"],
      ["/jobs", "FlatReceipt"]
    ] as const) {
      const { responses } = document["paths"][path].post
      for (const status of [200, 201]) {
        const { schema } = responses[status].content["application/json"]
        assert.deepStrictEqual(schema, { $ref: `#/components/schemas/${name}` })
      }
    }
  })

  it("says how a key is shown, where one is asked for", () => {
    assert.include(document["components"].securitySchemes.bearer, { type: "http", scheme: "bearer" })
    const isKeyed = (path: string, method: string) => document["paths"][path][method].security.length > 0
    assert.isTrue(isKeyed("/api/v1/jobs", "post"))
    assert.isTrue(isKeyed("/jobs", "post"))
    assert.isTrue(isKeyed("/api/v1/proxy", "post"))
    assert.isTrue(isKeyed("/metrics", "get"))
    assert.isFalse(isKeyed("/health", "get"))
    assert.isFalse(isKeyed("/l8/challenge", "post"))
  })

  it("says what each field of a refusal means", () => {
    const { properties } = schemas["Error"]
    assert.sameMembers(Object.keys(properties), [
      "error",
      "code",
      "field",
      "position",
      "nearest",
      "reason",
      "state",
      "line",
      "job_id",
      "limit_reason",
      "copied_at",
      "retry_after_ms",
      "limit",
      "current"
    ])
    for (const [name, { description }] of Object.entries<Node>(properties)) assert.isNotEmpty(description, name)
    assert.include(properties.state.enum, "succeeded")
  })

  it("has the limits of intake, in bodies and nowhere else an end of what may be said", () => {
    const { properties } = schemas["Job"]
    const { defaults } = Limits
    assert.strictEqual(properties.url.maxLength, defaults.urlBytes)
    assert.strictEqual(properties.webhooks.maxItems, defaults.webhooks)
    assert.strictEqual(properties.retry_policy.properties.max_retries.maximum, defaults.retries)
    assert.strictEqual(properties.idempotent_key.maxLength, defaults.keyBytes)
    assert.deepInclude(schemas["SecretChoice"].properties.primary_secret, { minLength: 16, maxLength: 1024 })
    assert.deepInclude(schemas["PaceChoice"].properties.rps, { minimum: 0.001, maximum: 100_000 })
    assert.deepInclude(schemas["PaceChoice"].properties.max_concurrent, { minimum: 1, maximum: 10_000 })
    assert.isFalse(schemas["Job"].additionalProperties)
    for (const name of ["JobView", "Receipt", "Error", "Lane", "DeadLetter"]) {
      // a newer dam says more
      assert.notProperty(schemas[name], "additionalProperties", name)
    }
  })

  it("says what a chained job takes, and when a job starts", () => {
    const { properties } = schemas["Job"]
    assert.deepInclude(properties.fills.items.properties.into, { type: "string", minLength: 1, maxLength: 512 })
    assert.deepInclude(properties.fills.items.properties.from, { type: "string", minLength: 1, maxLength: 512 })
    assert.deepInclude(properties.delay_ms, { type: "integer", minimum: 1 })
    assert.deepInclude(properties.start_before, { type: "integer", format: "int64", minimum: 0 })
  })

  it("names no shape twice and none after a tool", () => {
    assert.notInclude(Object.keys(schemas), "Suspend_")
    assert.deepStrictEqual(schemas["Job"].properties.fallback_job, { $ref: "#/components/schemas/FallbackJob" })
    assert.notInclude(JSON.stringify(document), "x-effect")
    for (const [at, { $ref: ref }] of nodes()) {
      if (typeof ref === "string") assert.property(schemas, ref.split("/").at(-1) ?? "", at)
    }
  })
})
