import type { Preset } from "../Preset.ts"

/** What is known of OpenAI. */
export const openAi: Preset = {
  name: "openai",
  title: "OpenAI",
  hosts: ["api.openai.com"],
  lane: ["credential", { name: "model", body: "model" }],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit-*",
      remaining: "x-ratelimit-remaining-*",
      reset: [{ header: "x-ratelimit-reset-*", in: "length" }]
    }
  ],
  used_up: [
    { status: [429], body: [{ path: "error.code", is: ["insufficient_quota"] }] },
    { status: [429], body: [{ path: "error.type", is: "insufficient_quota" }] }
  ],
  cost: [
    { sum: ["usage.total_tokens"] },
    { sum: ["[].usage.total_tokens"] },
    { sum: ["[].response.usage.total_tokens"] }
  ],
  advice: [
    "Limits are per organisation, project and model, and rise with what was spent.",
    "A reset is the time until the limit is full again; a call is possible long before."
  ]
}
