import type { Preset } from "../Preset.ts"

/** What is known of ClickUp. */
export const clickUp: Preset = {
  name: "clickup",
  title: "ClickUp",
  hosts: ["api.clickup.com"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: ["100 calls a minute for a token; 1,000 and 10,000 on larger plans."]
}
