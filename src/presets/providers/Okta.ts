import type { Preset } from "../Preset.ts"

/** What is known of Okta. */
export const okta: Preset = {
  name: "okta",
  title: "Okta",
  hosts: ["*.okta.com"],
  lane: ["host", "credential", { name: "bucket", after: ["v1"] }],
  limits: [
    {
      dialect: "headers",
      unless: { headers: { "x-rate-limit-limit": "0" } },
      limit: "x-rate-limit-limit",
      remaining: "x-rate-limit-remaining",
      reset: [{ header: "x-rate-limit-reset", in: "epoch_seconds" }]
    },
    {
      dialect: "headers",
      name: "concurrency",
      when: { headers: { "x-rate-limit-limit": "0" } },
      remaining: "x-rate-limit-remaining",
      reset: [{ header: "x-rate-limit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: [
    "Buckets are by the beginning of the path, mostly of a minute; 75 calls may run at once.",
    "Limit and remaining both 0 mean that too many run at once: the reset is a guess then."
  ]
}
