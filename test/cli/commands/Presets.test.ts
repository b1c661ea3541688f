import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Presets from "../../../src/presets/Presets.ts"
import cases from "../../fixtures/provider-headers.json" with { type: "json" }
import { run } from "../support.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "presets-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const read = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { code, err, out } = yield* run(["presets", "read", ...args, "--json"])
  assert.strictEqual(code, 0, err)
  return JSON.parse(out)
})

const refused = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { code, err, out } = yield* run(["presets", ...args])
  assert.deepStrictEqual({ code, out }, { code: 2, out: "" })
  return err
})

describe("ezthrottle presets", () => {
  it.effect("lists every provider that is known, with its hosts", () =>
    Effect.gen(function* () {
      const { out } = yield* run(["presets"])
      for (const { hosts, name } of Presets.all)
        assert.match(out, new RegExp(`^${name} .* ${hosts[0]?.replace("*", "\\*")}`, "m"))
      const { presets } = JSON.parse((yield* run(["presets", "list", "--json"])).out)
      assert.strictEqual(presets.length, Presets.all.length)
      assert.deepStrictEqual(presets[0], {
        name: "openai",
        title: "OpenAI",
        hosts: ["api.openai.com"],
        lane: "credential/model"
      })
    })
  )

  it.effect("shows one in the form that a file has for it", () =>
    Effect.gen(function* () {
      const { out } = yield* run(["presets", "show", "github"])
      assert.deepStrictEqual(JSON.parse(out), Presets.named("github"))
      assert.deepStrictEqual(JSON.parse((yield* run(["presets", "show", "github", "--json"])).out), JSON.parse(out))
      assert.include(yield* refused("show", "gitub"), "there is no preset gitub; see `ezthrottle presets`")
    })
  )

  it.effect("knows the presets of a configuration file, and leaves out what is off", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "dam.yaml")
      writeFileSync(
        file,
        "presets:\n  off: [slack]\n  own: [{ name: mine, hosts: [api.example.com], used_up: [{ status: [402] }] }]\n"
      )
      const { presets } = JSON.parse((yield* run(["presets", "list", "--config", file, "--json"])).out)
      assert.strictEqual(presets[0].name, "mine")
      assert.isFalse(presets.some(({ name }: { readonly name: string }) => name === "slack"))
      const { kind } = yield* read("--host", "api.example.com", "--status", "402", "--config", file)
      assert.strictEqual(kind, "quota_used_up")
      writeFileSync(file, "presets: { off: [slak] }")
      assert.include(yield* refused("list", "--config", file), "presets.off[0]: There is no preset slak")
      assert.include(yield* refused("list", "--config", `${file}.gone`), "there is no file")
    }).pipe(Effect.scoped)
  )
})

describe("ezthrottle presets read", () => {
  it.effect("prints what the function of the package answers", () =>
    Effect.gen(function* () {
      const body = join(yield* folder, "body")
      for (const row of cases.filter((_, place) => place % 9 === 0)) {
        const text = row.body === undefined ? "" : typeof row.body === "string" ? row.body : JSON.stringify(row.body)
        const headers: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(row.headers))
        writeFileSync(body, text)
        const given = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`])
        const { now, provider, status } = row
        const told = yield* read("--preset", provider, "--status", `${status}`, "--now", now, "--body", body, ...given)
        const answer = { status: row.status, headers, body: text }
        const preset = Presets.named(row.provider)
        assert.deepStrictEqual(told, Presets.read(answer, { preset, now: Date.parse(row.now) }))
        assert.deepStrictEqual(Object.keys(told), ["kind", "wait_ms", "limits", "cost", "lane"])
        assert.strictEqual(told.kind, row.expect.kind)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("finds the preset of a host, and reads like anybody's what no preset knows", () =>
    Effect.gen(function* () {
      const told = ["--status", "403", "--header", "X-RateLimit-Remaining:4", "--header", "Retry-After:  60 "]
      assert.deepInclude(yield* read("--host", "https://api.github.com/user", ...told), {
        kind: "too_many",
        wait_ms: 60_000
      })
      assert.deepInclude(yield* read("--host", "acme.zendesk.com:443", ...told), {
        kind: "too_many",
        lane: "zendesk/acme.zendesk.com"
      })
      assert.deepInclude(yield* read("--host", "api.example.com", ...told), {
        kind: "too_many",
        lane: "generic/api.example.com"
      })
      assert.deepInclude(yield* read("--preset", "generic", ...told), { kind: "too_many", lane: "host" })
    })
  )

  it.effect("takes a header that was sent twice for one with both values", () =>
    Effect.gen(function* () {
      const twice = (one: string, other: string) =>
        read(
          "--preset",
          "slack",
          "--status",
          "429",
          "--header",
          `retry-after: ${one}`,
          "--header",
          `Retry-After: ${other}`
        )
      assert.strictEqual((yield* twice("9", "9")).wait_ms, 9000)
      assert.isNull((yield* twice("9", "8")).wait_ms)
    })
  )

  it.effect("says it to people in a few lines", () =>
    Effect.gen(function* () {
      const headers = ["limit-tokens: 30000", "remaining-tokens: 0", "reset-tokens: 19.84s"]
      const given = headers.flatMap((header) => ["--header", `x-ratelimit-${header}`])
      const { out } = yield* run(["presets", "read", "--preset", "openai", "--status", "429", ...given])
      assert.deepStrictEqual(out.split("\n"), [
        "too many, wait 20s",
        "  read by     openai",
        "  belongs to  credential/model",
        "  LIMIT   LEFT  OF     RENEWED",
        "  tokens  0     30000  in 20s"
      ])
      const bare = yield* run(["presets", "read", "--preset", "stripe", "--status", "429"])
      assert.include(bare.out, "too many, for how long is not told")
    })
  )

  it.effect("says what is missing or wrong", () =>
    Effect.gen(function* () {
      assert.include(yield* refused("read", "--status", "429"), "say --preset or --host")
      assert.include(yield* refused("read", "--host", "a.example"), "status")
      assert.include(
        yield* refused("read", "--host", "a.example", "--status", "99"),
        "a status is a number from 100 to 599"
      )
      assert.include(yield* refused("read", "--preset", "none", "--status", "429"), "there is no preset none")
      const bad = ["read", "--preset", "slack", "--status", "429", "--header", "retry-after 30"]
      assert.include(yield* refused(...bad), "a header is written as 'name: value'")
      assert.include(yield* refused("read", "--preset", "slack", "--status", "429", "--now", "soon"), "is no date")
    })
  )
})
