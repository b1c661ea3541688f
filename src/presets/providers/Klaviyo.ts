import type { Preset } from "../Preset.ts"

/** What is known of Klaviyo. */
export const klaviyo: Preset = {
  name: "klaviyo",
  title: "Klaviyo",
  hosts: ["a.klaviyo.com"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      name: "steady",
      limit: "ratelimit-limit",
      remaining: "ratelimit-remaining",
      reset: [{ header: "ratelimit-reset", in: "seconds" }]
    }
  ],
  advice: [
    "A burst of a second and a steady window of a minute, by the size of the endpoint: 1 and 15 calls to 350 and 3,500.",
    "Accepted calls show the steady window alone; a 429 has Retry-After."
  ]
}
