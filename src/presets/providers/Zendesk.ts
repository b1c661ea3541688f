import type { Preset } from "../Preset.ts"

/** What is known of Zendesk. */
export const zendesk: Preset = {
  name: "zendesk",
  title: "Zendesk",
  hosts: ["*.zendesk.com"],
  lane: ["host"],
  limits: [
    {
      dialect: "headers",
      limit: ["ratelimit-limit", "x-rate-limit"],
      remaining: ["ratelimit-remaining", "x-rate-limit-remaining"],
      reset: [{ header: "ratelimit-reset", in: "seconds" }]
    },
    {
      dialect: "keys",
      header: "zendesk-ratelimit-*",
      limit: "total",
      remaining: "remaining",
      reset: { key: "resets", in: "seconds" }
    }
  ],
  advice: [
    "200 to 2,500 calls a minute for the account, by plan; some endpoints have less: 100 updates of tickets, 10 exports."
  ]
}
