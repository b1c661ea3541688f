import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Support from "../support.ts"

describe("ezthrottle notices", () => {
  it.live("shows who is told what, changes what is said and nothing else, and goes back to the configuration", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const run = (...args: ReadonlyArray<string>) => dam.run("notices", ...args)
      assert.match((yield* run("get")).out, /told to +nobody\n +events +endpoint_failing, [^]*from +the configuration/)
      const url = "http://127.0.0.1:9/ops"
      const set = JSON.parse((yield* run("set", "--to", url, "--event", "dead_letters", "--json")).out)
      assert.deepInclude(set, { urls: [url], events: ["dead_letters"], source: "chosen" })
      const later = JSON.parse((yield* run("set", "--event", "lane_held", "--json")).out)
      assert.deepInclude(later, { urls: [url], events: ["lane_held"], thresholds: set.thresholds })
      assert.match((yield* run("set", "--off")).out, /told to +nobody\n +events +lane_held\n[^]*from +the API/)
      assert.match((yield* run("reset")).out, /from +the configuration/)
    })
  )

  it.live("sets from when on something is told, and leaves the rest", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const run = (...args: ReadonlyArray<string>) => dam.run("notices", ...args)
      const thresholds = (args: ReadonlyArray<string>) =>
        Effect.map(run("set", "--json", ...args), ({ out }) => JSON.parse(out).thresholds)
      const before = JSON.parse((yield* run("get", "--json")).out)
      const first = yield* thresholds(["--dead-letters", "0", "--lane-held", "30m"])
      assert.deepStrictEqual(first, { ...before.thresholds, dead_letters: 0, lane_held_ms: 1_800_000 })
      const all = ["--endpoint-failures", "3", "--stored-bytes", "1000", "--memory-bytes", "2000"]
      const second = yield* thresholds(all)
      assert.deepStrictEqual(second, { ...first, endpoint_failures: 3, stored_bytes: 1000, memory_bytes: 2000 })
      const { events, urls } = JSON.parse((yield* run("get", "--json")).out)
      assert.deepStrictEqual([events, urls], [before.events, before.urls])
      for (const wrong of [
        ["--dead-letters", "-1"],
        ["--endpoint-failures", "0"],
        ["--lane-held", "0s"],
        ["--stored-bytes", "1.5"]
      ]) {
        assert.strictEqual((yield* run("set", ...wrong)).code, 2, wrong.join(" "))
      }
    })
  )

  it.live("are refused where no webhook may go", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam({ httpsWebhooks: true })
      const { code, err } = yield* dam.run("notices", "set", "--to", "http://127.0.0.1:9/ops")
      assert.strictEqual(code, 1)
      assert.include(err, "urls[0]: webhooks are told over https only")
    })
  )

  it.live("calls nobody when nothing is said, and tells which event there is not", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const nothing = yield* dam.run("notices", "set")
      assert.strictEqual(nothing.code, 2)
      assert.include(nothing.err, "say --to, --event, --off or a threshold")
      const unknown = yield* dam.run("notices", "set", "--event", "nonsense")
      assert.strictEqual(unknown.code, 1)
      assert.include(unknown.err, "events[0]")
    })
  )
})
