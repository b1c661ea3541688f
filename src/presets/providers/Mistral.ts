import type { Preset } from "../Preset.ts"

/** What is known of Mistral. */
export const mistral: Preset = {
  name: "mistral",
  title: "Mistral",
  hosts: ["api.mistral.ai"],
  lane: ["credential", { name: "model", body: "model" }],
  limits: [
    {
      dialect: "headers",
      name: "size",
      limit: "ratelimitbysize-limit",
      remaining: "ratelimitbysize-remaining",
      reset: [{ header: "ratelimitbysize-reset", in: "seconds" }]
    }
  ],
  cost: [{ header: "ratelimitbysize-query-cost" }, { sum: ["usage.total_tokens"] }, { sum: ["[].usage.total_tokens"] }],
  advice: ["The headers are seen in answers, and stand on none of the vendor's pages."]
}
