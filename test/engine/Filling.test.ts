import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Arbitrary from "effect/Arbitrary"
import * as Filling from "../../src/engine/Filling.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"

const url = "https://api.example:8443/orders/{id}/lines?mode=full#top"
const given = (body: unknown, headers: Readonly<Record<string, string>> = {}): Filling.Given => ({
  response: Reply.response(201, headers, typeof body === "string" ? body : JSON.stringify(body)),
  metadata: { tenant: "acme", shared: "parent", ezthrottle_children: "not for others" }
})
const filled = (step: Step.Step, from: Filling.Given) => Result.getOrThrow(Filling.fill(step, from))
const refused = (step: Step.Step, from: Filling.Given) => {
  const result = Filling.fill(step, from)
  if (Result.isSuccess(result)) throw new Error("it was filled")
  const { from: place, into, kind } = result.failure
  return `${kind} ${place} ${into}`
}
const text = (body: string | Uint8Array | undefined) =>
  typeof body === "string" ? body : new TextDecoder().decode(body)

describe("a filled step", () => {
  it("has what it takes in its places, encoded for them, and nothing left to take", () => {
    const step = Step.post(url, { headers: { "if-match": "old" } }).pipe(
      Step.metadata({ shared: "child" }),
      Step.fill({
        path: { id: Step.from("/response/body/order/id") },
        query: { "next page": Step.from("/response/body/next"), code: Step.from("/response/status") },
        headers: { "If-Match": Step.from("/response/headers/ETag") },
        body: { order: Step.from("/response/body/order"), lines: [1, Step.from("/response/body/a~1b")], note: null }
      })
    )
    const { fills, metadata, request } = filled(
      step,
      given({ order: { id: "7/../é?#" }, next: "a&b=c d", "a/b": [true] }, { etag: '"v1"' })
    )
    assert.strictEqual(
      request.url,
      "https://api.example:8443/orders/7%2F..%2F%C3%A9%3F%23/lines?mode=full&code=201&next%20page=a%26b%3Dc%20d#top"
    )
    assert.deepStrictEqual(request.headers, { "Content-Type": "application/json", "If-Match": '"v1"' })
    assert.strictEqual(request.body, '{"order":{"id":"7/../é?#"},"lines":[1,[true]],"note":null}')
    assert.deepStrictEqual(fills, [])
    assert.deepStrictEqual(metadata, { tenant: "acme", shared: "child" })
  })

  it("has the whole answer as its body, byte for byte, with the type it came with", () => {
    const step = Step.post("https://b.example/").pipe(Step.fill({ body: Step.answer }))
    const bytes = Uint8Array.of(0, 255, 128)
    const from = { response: Reply.response(200, { "content-type": "image/png" }, bytes), metadata: {} }
    assert.deepStrictEqual(filled(step, from).request.body, bytes)
    assert.deepStrictEqual(filled(step, from).request.headers, { "Content-Type": "image/png" })
    const own = Step.header(step, "content-type", "application/x-own")
    assert.deepStrictEqual(filled(own, from).request.headers, { "content-type": "application/x-own" })
  })

  it("has a part of the answer as its body as JSON, and metadata of the step before", () => {
    const part = Step.post("https://b.example/").pipe(Step.fill({ body: Step.from("/response/body/note") }))
    assert.strictEqual(filled(part, given({ note: 'say "hi"' })).request.body, '"say \\"hi\\""')
    const tenant = Step.get("https://b.example/{who}").pipe(Step.fill({ path: { who: Step.from("/metadata/tenant") } }))
    assert.strictEqual(filled(tenant, given("")).request.url, "https://b.example/acme")
  })

  it("fills its fallbacks from the same answer", () => {
    const taking = (host: string) =>
      Step.get(`https://${host}.example/{id}`).pipe(Step.fill({ path: { id: Step.from("/response/body/id") } }))
    const { fallbacks } = filled(Step.fallback(taking("a"), taking("b")), given({ id: 7 }))
    assert.strictEqual(fallbacks[0]?.step.request.url, "https://b.example/7")
  })

  it("is the step itself where it takes nothing", () => {
    const step = Step.get(url)
    assert.strictEqual(filled(step, given("")), step)
  })

  const at = (place: "headers" | "path" | "query") =>
    Step.fill(Step.get("https://a.example/x/{v}/y"), { [place]: { v: Step.from("/response/body/v") } })
  const inBody = Step.fill(Step.post(url), { body: { v: Step.from("/response/body/v") } })
  it.each([
    ["missing", at("query"), {}],
    ["missing", at("query"), "no JSON"],
    ["missing", at("query"), { __proto__: null, w: 1 }],
    ["wrong_kind", at("query"), { v: [1] }],
    ["wrong_kind", at("headers"), { v: null }],
    ["empty", at("path"), { v: "" }],
    ["dot_segment", at("path"), { v: ".." }],
    ["dot_segment", at("path"), { v: "." }],
    ["line_break", at("headers"), { v: "a\r\nX-Evil: 1" }],
    ["line_break", at("headers"), { v: "a\nb" }],
    ["not_latin1", at("headers"), { v: "€" }],
    ["not_exact", at("path"), '{"v":12345678901234567890}'],
    ["not_exact", inBody, '{"v":{"id":12345678901234567890}}'],
    ["missing", inBody, {}]
  ] as const)("is refused as %s and names both places", (kind, step, body) => {
    assert.strictEqual(refused(step, given(body)), `${kind} /response/body/v ${step.fills[0]?.into}`)
  })

  it("is refused where there was no answer, and where two parts of a segment make a step upwards", () => {
    assert.match(refused(at("query"), { response: undefined, metadata: {} }), /^missing/)
    const both = Step.get("https://a.example/x/.{v}/y").pipe(Step.fill({ path: { v: Step.from("/response/body/v") } }))
    assert.match(refused(both, given({ v: "." })), /^dot_segment/)
    assert.strictEqual(filled(both, given({ v: "git" })).request.url, "https://a.example/x/.git/y")
  })

  it("leaves an object without what its answer would plant in it", () => {
    const step = Step.post(url, { body: '{"__proto__":null}' })
    const planted = Step.fill(step, { body: JSON.parse('{"a":{"__proto__":{"b":1}}}') })
    assert.strictEqual(planted.request.body, '{"a":{"__proto__":{"b":1}}}')
    const from = Step.get("https://a.example/").pipe(
      Step.fill({ query: { v: Step.from("/response/body/constructor/name") } })
    )
    assert.match(refused(from, given({})), /^missing/)
  })

  const anything = Arbitrary.schema(Schema.String)
  const nasty = Arbitrary.map(
    Arbitrary.all([
      anything,
      Arbitrary.schema(
        Schema.Literals(["", "/", "..", "?a=b", "#", "\r\nX: y", "@evil.example", "\\", "%2e%2e", "&", "{id}", ":99"])
      ),
      anything
    ]),
    (parts) => parts.join("")
  )

  it.prop("keeps scheme, host, port, segments, parameters and header names, whatever it takes", [nasty], ([value]) => {
    const template = Step.get("https://api.example:8443/a/{id}/x{id}y?k=1#h")
    const from = Step.from("/response/body/v")
    const step = Step.fill(template, { path: { id: from }, query: { q: from } })
    const result = Filling.fill(step, given({ v: value }))
    if (Result.isFailure(result)) return assert.include(["empty", "dot_segment"], result.failure.kind)
    const [before, after] = [new URL(template.request.url), new URL(result.success.request.url)]
    assert.strictEqual(after.origin, before.origin)
    assert.strictEqual(after.username + after.password, "")
    assert.strictEqual(after.hash, before.hash)
    const wellFormed = value.toWellFormed()
    assert.deepStrictEqual(after.pathname.split("/").map(decodeURIComponent), ["", "a", wellFormed, `x${wellFormed}y`])
    assert.deepStrictEqual(
      [...after.searchParams],
      [
        ["k", "1"],
        ["q", wellFormed]
      ]
    )
  })

  it.prop("has one header more and no other, or is refused, whatever it takes", [nasty], ([value]) => {
    const step = Step.fill(Step.get("https://a.example/"), { headers: { "X-A": Step.from("/response/body") } })
    const result = Filling.fill(step, { response: Reply.response(200, {}, value.toWellFormed()), metadata: {} })
    if (Result.isFailure(result)) return assert.include(["line_break", "not_latin1"], result.failure.kind)
    assert.deepStrictEqual(Object.keys(result.success.request.headers), ["X-A"])
    assert.strictEqual(new Headers(result.success.request.headers).get("X-A"), value.toWellFormed().trim())
  })

  it.prop(
    "has in its body exactly what it takes, in its place and nowhere else",
    [Arbitrary.schema(Schema.Json)],
    ([value]) => {
      const body = { a: 1, "~/": [{ b: Step.from("/response/body/v") }], c: null }
      const result = Filling.fill(Step.fill(Step.post(url), { body }), given({ v: value }))
      if (Result.isFailure(result)) return assert.strictEqual(result.failure.kind, "not_exact")
      assert.deepStrictEqual(
        JSON.parse(text(result.success.request.body)),
        JSON.parse(JSON.stringify({ a: 1, "~/": [{ b: value }], c: null }))
      )
    }
  )
})
