import type { Preset } from "../Preset.ts"

/** What is known of OpenRouter. */
export const openRouter: Preset = {
  name: "openrouter",
  title: "OpenRouter",
  hosts: ["openrouter.ai"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "any" }]
    }
  ],
  used_up: [{ status: [402] }],
  cost: [{ sum: ["usage.total_tokens"] }, { sum: ["[].usage.total_tokens"] }],
  advice: ["Accepted answers tell nothing. 402 means that the credit is used up."]
}
