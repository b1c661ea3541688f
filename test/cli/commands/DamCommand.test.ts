import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as DamCommand from "../../../src/cli/commands/DamCommand.ts"
import type { Settings } from "../../../src/cli/serving/Settings.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"

/** What the command would serve. */
const served = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const seen: Array<Settings> = []
    const command = DamCommand.make((settings) => Effect.sync(() => void seen.push(settings)))
    yield* Command.runWith(command, { version: "0", renderErrors: false })(args)
    return seen
  }).pipe(Effect.provide(NodeServices.layer))

describe("ezthrottle dam", () => {
  it.effect("serves what its flags say", () =>
    Effect.gen(function* () {
      const args = ["--port", "0", "--host", "::1", "--db", ":memory:", "--allow-private"]
      const [settings, ...others] = yield* served(...args, "--allow-egress", "a.corp", "--allow-egress", "10.0.0.0/8")
      assert.isEmpty(others)
      assert.deepStrictEqual([settings?.port, settings?.host, settings?.storage], [0, "::1", { path: ":memory:" }])
      assert.strictEqual(
        settings && EgressPolicy.describe(settings.policy),
        "public addresses, private addresses, a.corp, 10.0.0.0/8"
      )
    })
  )

  it.effect("serves nothing when a flag is wrong", () =>
    Effect.gen(function* () {
      for (const args of [["--port", "x"], ["--port", "-1"], ["--port", "65536"], ["--prot", "1"], ["extra"]]) {
        const error = yield* Effect.flip(served(...args))
        assert.strictEqual(error._tag, "ShowHelp", args.join(" "))
      }
    })
  )
})
