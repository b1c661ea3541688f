import type { Preset } from "../Preset.ts"

/** What is known of GitLab. */
export const gitLab: Preset = {
  name: "gitlab",
  title: "GitLab",
  hosts: ["gitlab.com"],
  credential: ["private-token", "authorization"],
  lane: ["credential", { name: "throttle", answer: "ratelimit-name" }],
  limits: [
    {
      dialect: "headers",
      name: "{ratelimit-name}",
      limit: "ratelimit-limit",
      remaining: "ratelimit-remaining",
      reset: [{ header: "ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  advice: [
    "The limit is scaled to a minute. Those of the application, such as for new issues, answer 429 and are never shown."
  ]
}
