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

  it.live("calls nobody when nothing is said, and tells which event there is not", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const nothing = yield* dam.run("notices", "set")
      assert.strictEqual(nothing.code, 2)
      assert.include(nothing.err, "say --to, --event or --off")
      const unknown = yield* dam.run("notices", "set", "--event", "nonsense")
      assert.strictEqual(unknown.code, 1)
      assert.include(unknown.err, "events[0]")
    })
  )
})
