import type { Preset } from "../Preset.ts"

/** What is known of Twitch. */
export const twitch: Preset = {
  name: "twitch",
  title: "Twitch",
  hosts: ["api.twitch.tv"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      name: "points",
      limit: "ratelimit-limit",
      remaining: "ratelimit-remaining",
      reset: [{ header: "ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: ["800 points a minute. Endpoints have limits of their own, which answer 429 while points are left."]
}
