import { assert, describe, it } from "@effect/vitest"
import { heard } from "../../../src/engine/pace/Hearing.ts"
import type { Said } from "../../../src/engine/pace/Said.ts"
import * as Refusal from "../../../src/engine/Refusal.ts"
import * as HostRules from "../../../src/presets/HostRules.ts"

const now = Date.UTC(2026, 10, 27, 12)
const seconds = Math.floor(now / 1000)

const hear = (headers: Readonly<Record<string, string>>, status = 200, rules?: Refusal.Rules): Said | undefined =>
  heard(Refusal.read({ status, headers }, now, rules), headers, now)

const resetsOf = (said: Said | undefined) => said?.quotas?.map(({ reset }) => reset)

describe("what is heard of the pace", () => {
  it.each([
    ["seconds", "30", { by: "delta", millis: 30_000, unit: 1000 }],
    ["fractions of a second", "2.5", { by: "delta", millis: 2500, unit: 1 }],
    ["milliseconds", "120ms", { by: "delta", millis: 120, unit: 1 }],
    ["a moment", String(seconds + 30), { by: "clock", millis: 30_000 }],
    ["more than a day", String(9 * 86_400), { by: "delta", millis: 86_400_000, unit: 1000 }]
  ] as const)("is a reset in %s", (_, text, reset) => {
    const said = hear({ "ratelimit-remaining": "7", "ratelimit-reset": text })
    assert.deepStrictEqual(resetsOf(said), [reset])
  })

  it("is a moment against the clock of whoever told it, where that is in the same answer", () => {
    const headers = {
      date: new Date(now - 40_000).toUTCString(),
      "x-ratelimit-limit": "60",
      "x-ratelimit-remaining": "7",
      "x-ratelimit-reset": String(seconds - 10)
    }
    assert.deepStrictEqual(resetsOf(hear(headers)), [{ by: "dated", millis: 30_000 }])
    // a preset that knows the header reads it in the same way
    const rules = HostRules.make()("api.github.com:443")
    assert.isDefined(rules)
    assert.deepStrictEqual(resetsOf(hear(headers, 200, rules)), [{ by: "dated", millis: 30_000 }])
  })

  it("is every quota, and a policy where nobody says what is left of it", () => {
    const two = hear({ ratelimit: '"a";r=3;t=10, "b";r=70;t=600' })
    assert.deepStrictEqual(
      two?.quotas?.map(({ name, remaining }) => [name, remaining]),
      [
        ["a", 3],
        ["b", 70]
      ]
    )
    assert.deepStrictEqual(two?.policies, [])
    const policy = hear({ "ratelimit-policy": '"default";q=100;w=60' })
    assert.deepStrictEqual(policy, { isAccepted: true, quotas: [], policies: [{ limit: 100, window: 60_000 }] })
  })

  it("is the wait of a refusal, and of a success only where nothing is left", () => {
    assert.deepStrictEqual(hear({ "retry-after": "5" }, 429), { isAccepted: false, wait: 5000 })
    assert.deepStrictEqual(hear({ "retry-after": "5" }), { isAccepted: true })
    const spent = hear({ "retry-after": "5", "x-ratelimit-remaining": "0", "x-ratelimit-limit": "9" })
    assert.deepStrictEqual(resetsOf(spent), [{ by: "delta", millis: 5000, unit: 1 }])
  })

  it("is nothing of a 503, which may be a hiccup, nor of a quota that is used up for good", () => {
    assert.isUndefined(hear({ "retry-after": "5" }, 503))
    assert.isUndefined(hear({ "x-should-retry": "false" }, 429))
  })
})
