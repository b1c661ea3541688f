import type { Preset } from "../Preset.ts"

/** What is known of X. */
export const x: Preset = {
  name: "x",
  title: "X",
  hosts: ["api.x.com"],
  lane: ["credential", "path"],
  limits: [
    {
      dialect: "headers",
      limit: "x-rate-limit-limit",
      remaining: "x-rate-limit-remaining",
      reset: [{ header: "x-rate-limit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: ["Each endpoint has limits of its own for the app and for each user, mostly of 15 minutes."]
}
