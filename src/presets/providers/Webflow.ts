import type { Preset } from "../Preset.ts"

/** What is known of Webflow. */
export const webflow: Preset = {
  name: "webflow",
  title: "Webflow",
  hosts: ["api.webflow.com"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "any" }]
    }
  ],
  advice: ["60 calls a minute on the smaller plans, 120 above; one publish a minute."]
}
