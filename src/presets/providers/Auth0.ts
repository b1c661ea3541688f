import type { Preset } from "../Preset.ts"

/** What is known of Auth0. */
export const auth0: Preset = {
  name: "auth0",
  title: "Auth0",
  hosts: ["*.auth0.com"],
  lane: ["host"],
  limits: [
    { dialect: "keys", header: "auth0-ratelimit", limit: "q", remaining: "r", reset: { key: "t", in: "seconds" } },
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: [
    "A reset is when the next call is possible, not when all are.",
    "A policy of your own is told in auth0-ratelimit; the other fields then still show the tenant's limit."
  ]
}
