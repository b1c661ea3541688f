import type { Preset } from "../Preset.ts"

/** What is known of Atlassian. */
export const atlassian: Preset = {
  name: "atlassian",
  title: "Atlassian (Jira, Confluence)",
  hosts: ["*.atlassian.net", "api.atlassian.com"],
  lane: ["host", "credential"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "date" }]
    }
  ],
  advice: [
    "Points an hour for an app, bursts a second, and writes to one issue are limited apart; ratelimit-reason names which.",
    "x-ratelimit-nearlimit: true warns."
  ]
}
