import type { Preset } from "../Preset.ts"

/** What is known of Linear. */
export const linear: Preset = {
  name: "linear",
  title: "Linear",
  hosts: ["api.linear.app"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-*-limit",
      remaining: "x-ratelimit-*-remaining",
      reset: [{ header: "x-ratelimit-*-reset", in: "epoch_millis" }]
    }
  ],
  too_many: [{ status: [200, 400], body: [{ path: "errors[].extensions.code", is: "RATELIMITED" }] }],
  cost: [{ header: "x-complexity" }],
  advice: [
    "2,500 calls and 3,000,000 points of complexity an hour with a key; one query at most 10,000.",
    "A refusal is a 400 without Retry-After."
  ]
}
