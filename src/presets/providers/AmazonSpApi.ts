import type { Preset } from "../Preset.ts"

/** What is known of Amazon SP-API. */
export const amazonSpApi: Preset = {
  name: "amazon-sp-api",
  title: "Amazon SP-API",
  hosts: ["sellingpartnerapi-*.amazon.com"],
  credential: ["x-amz-access-token"],
  lane: ["credential", "method", "path"],
  limits: [{ dialect: "headers", name: "requests-per-second", limit: "x-amzn-ratelimit-limit" }],
  advice: [
    "Each operation has a rate and a burst, for each seller and app; only the rate is told, and not on a 429.",
    "QuotaExceeded only means that it takes a wait."
  ]
}
