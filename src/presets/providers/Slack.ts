import type { Preset } from "../Preset.ts"

/** What is known of Slack. */
export const slack: Preset = {
  name: "slack",
  title: "Slack",
  hosts: ["slack.com"],
  lane: ["credential", "path"],
  too_many: [
    {
      status: [200],
      body: [
        { path: "ok", is: false },
        { path: "error", is: ["ratelimited", "rate_limited"] }
      ]
    }
  ],
  advice: [
    "Each method has a limit of its own, from once a minute to 100 times; chat.postMessage has one a second and channel.",
    "Every error but 429 is a 200 with ok: false."
  ]
}
