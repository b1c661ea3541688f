import type { Preset } from "../Preset.ts"

/** What is known of HubSpot. */
export const hubSpot: Preset = {
  name: "hubspot",
  title: "HubSpot",
  hosts: ["api.hubapi.com"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      name: "daily",
      limit: "x-hubspot-ratelimit-daily",
      remaining: "x-hubspot-ratelimit-daily-remaining"
    },
    {
      dialect: "headers",
      name: "interval",
      limit: "x-hubspot-ratelimit-max",
      remaining: "x-hubspot-ratelimit-remaining",
      window: { header: "x-hubspot-ratelimit-interval-milliseconds", in: "millis" }
    },
    {
      dialect: "headers",
      name: "secondly",
      limit: "x-hubspot-ratelimit-secondly",
      remaining: "x-hubspot-ratelimit-secondly-remaining"
    }
  ],
  too_many: [
    { status: [429], body: [{ path: "policyName", is: "TEN_SECONDLY_ROLLING" }], wait_seconds: 10 },
    { status: [429], body: [{ path: "message", has: "secondly limit" }], wait_seconds: 1 }
  ],
  used_up: [{ status: [429], body: [{ path: "policyName", is: "DAILY" }] }],
  advice: [
    "100 calls in 10 seconds for a private app of the smaller plans; search about 4 a second.",
    "The interval is the length of the window, and not how much of it is left.",
    "The daily limit is renewed at the account's midnight."
  ]
}
