import type { Preset } from "../Preset.ts"

/** What is known of SendGrid. */
export const sendGrid: Preset = {
  name: "sendgrid",
  title: "SendGrid",
  hosts: ["api.sendgrid.com"],
  lane: ["credential", "path"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: ["Each endpoint has a limit of its own; a 429 has no Retry-After."]
}
