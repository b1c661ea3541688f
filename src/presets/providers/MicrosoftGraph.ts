import type { Preset } from "../Preset.ts"

/** What is known of Microsoft Graph. */
export const microsoftGraph: Preset = {
  name: "microsoft-graph",
  title: "Microsoft Graph",
  hosts: ["graph.microsoft.com"],
  lane: ["host"],
  limits: [
    {
      dialect: "headers",
      limit: "ratelimit-limit",
      remaining: "ratelimit-remaining",
      reset: [{ header: "ratelimit-reset", in: "seconds" }]
    }
  ],
  cost: [{ header: "x-ms-resource-unit" }],
  advice: [
    "Refused calls count too: wait for as long as Retry-After says.",
    "A batch is a 200 whose parts may be refused."
  ]
}
