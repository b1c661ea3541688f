import type { Preset } from "../Preset.ts"

/** What is known of Intercom. */
export const intercom: Preset = {
  name: "intercom",
  title: "Intercom",
  hosts: ["api.intercom.io"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: ["10,000 calls a minute for an app, dealt out in slices of 10 seconds, which is what the headers show."]
}
