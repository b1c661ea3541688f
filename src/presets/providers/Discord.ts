import type { Preset } from "../Preset.ts"

/** What is known of Discord. */
export const discord: Preset = {
  name: "discord",
  title: "Discord",
  hosts: ["discord.com"],
  lane: [
    "credential",
    { name: "bucket", answer: "x-ratelimit-bucket" },
    { name: "resource", after: ["guilds", "channels", "webhooks"] }
  ],
  limits: [
    {
      dialect: "headers",
      name: "bucket:{x-ratelimit-bucket}",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [
        { header: "x-ratelimit-reset-after", in: "seconds" },
        { header: "x-ratelimit-reset", in: "epoch_seconds" }
      ]
    }
  ],
  wider: [
    { headers: { "x-ratelimit-global": "true" }, lanes: "credential" },
    { headers: { "x-ratelimit-scope": "global" }, lanes: "credential" },
    { body: [{ path: "global", is: true }], lanes: "credential" }
  ],
  body_wait: [{ path: "retry_after", in: "seconds" }],
  advice: [
    "50 calls a second for each bot, over all routes.",
    "10,000 answers of 401, 403 and 429 within 10 minutes ban the address for a while; those of scope shared do not count.",
    "On scope shared the bucket may have calls left: the wait is what Retry-After says."
  ]
}
