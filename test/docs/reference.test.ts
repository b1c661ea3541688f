import { assert, describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Result from "effect/Result"
import * as Step from "../../src/step/Step.ts"
import * as Job from "../../src/wire/Job.ts"
import { presetsPage } from "./PresetsPage.ts"
import { statesPage, telemetryPage } from "./Reference.ts"

const root = new URL("../../", import.meta.url)

/** The cells of the table below a heading. */
const rowsBelow = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, below = ""] = readFileSync(new URL("README.md", root), "utf8").split(`\n${heading}\n`)
  const lines = below.split("\n").filter((line) => line.startsWith("| "))
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim())
  )
}

const codesIn = (cell = ""): ReadonlyArray<string> => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text)

// `vitest run -u` writes the files anew
describe("the reference", () => {
  it("draws the states that jobs go through", () =>
    expect(statesPage()).toMatchFileSnapshot("../../docs/reference/states.md"))

  it("names everything that is reported", () =>
    expect(telemetryPage()).toMatchFileSnapshot("../../docs/reference/telemetry.md"))

  it("tells what is known of every provider", () =>
    expect(presetsPage()).toMatchFileSnapshot("../../docs/reference/presets.md"))
})

describe("the README's table of what a step can say", () => {
  const rows = rowsBelow("## Everything a step can say")

  it("has every field of a step", () => {
    const fields = Object.keys(Step.get("https://a.example")).filter((field) => field !== "request")
    const parts = Object.keys(Step.get("https://a.example").request)
    const named = rows.flatMap(([field]) => codesIn(field))
    assert.deepStrictEqual(named.toSorted(), [...parts, ...fields].toSorted())
  })

  it("has every verb, and no verb that is not there", () => {
    const others = ["make", "get", "post", "put", "patch", "delete"]
    const tools = ["isStep", "inherit", "check", "decode", "toJson", "StepFromJson", "from"]
    const verbs = Object.entries(Step)
      .filter(([name, value]) => typeof value === "function" && ![...others, ...tools].includes(name))
      .map(([name]) => name)
    const named = rows.flatMap(([, verb]) => codesIn(verb)).filter((name) => !others.includes(name))
    assert.deepStrictEqual([...new Set(named)].toSorted(), verbs.toSorted())
  })

  it("leaves no extension out of the table of extensions", () => {
    const page = readFileSync(new URL("../../docs/reference/extensions.md", import.meta.url), "utf8")
    const named = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key)
    const step = Step.post("https://a.example", { body: Uint8Array.of(255) }).pipe(
      Step.retryUnsafe(false),
      Step.limit("tokens"),
      Step.fill({ query: { id: Step.from("/response/body/id") } }),
      Step.delay(1),
      Step.startBefore(1),
      (self) => self.pipe(Step.attemptTimeout(1), Step.totalTimeout(2), Step.timeoutHeader("X-Left"), Step.hedge()),
      Step.priority("low"),
      Step.inOrder("key"),
      (self) => self.pipe(Step.debounce("key", { wait: 1 }), Step.coalesce)
    )
    const job = Job.encode({ step, key: undefined, retryAt: undefined }, { binary: "base64", extensions: "send" })
    const plain = ["url", "method"]
    assert.deepStrictEqual([...plain, ...named].toSorted(), Object.keys(Result.getOrThrow(job)).toSorted())
  })

  it("has every key that carries a field to the service", () => {
    const other = Step.get("https://b.example")
    const step = Step.post("https://a.example", { headers: { a: "b" }, body: "text" }).pipe(
      Step.frugal(),
      Step.description("all of it"),
      Step.responseDescription("anything"),
      Step.fallbackOnError([500]),
      Step.localTimeout(1),
      Step.retryPolicy({ maxRetries: 1 }),
      Step.retryUnsafe(false),
      (self) => self.pipe(Step.limit("tokens"), Step.fill({ query: { id: Step.from("/response/body/id") } })),
      Step.regions(["iad"]),
      Step.regionPolicy("strict"),
      Step.executionMode("fanout"),
      Step.webhooks([{ url: "https://c.example" }, { url: "https://d.example" }]),
      Step.webhookQuorum(2),
      Step.idempotentKey("key"),
      Step.sendIdempotencyKey(),
      (self) =>
        self.pipe(
          Step.retryAt(1),
          Step.delay(1),
          Step.startBefore(1),
          Step.attemptTimeout(1),
          Step.totalTimeout(2),
          Step.timeoutHeader("X-Left"),
          Step.hedge(),
          Step.priority("low"),
          Step.inOrder("k"),
          Step.debounce("k", { wait: 1 }),
          Step.coalesce
        ),
      Step.metadata({ a: 1 }),
      Step.fallback(other),
      Step.onSuccess(other),
      Step.onFailure(other, { timeout: 1 })
    )
    const job = Result.getOrThrow(Job.encode({ step, key: "key", retryAt: undefined }, { extensions: "send" }))
    const named = rows.flatMap(([, , , key]) => codesIn(key))
    assert.deepStrictEqual(named.toSorted(), Object.keys(job).toSorted())
  })
})
