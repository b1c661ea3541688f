import type { Preset } from "../Preset.ts"

/** What is known of Groq. */
export const groq: Preset = {
  name: "groq",
  title: "Groq",
  hosts: ["api.groq.com"],
  lane: ["credential", { name: "model", body: "model" }],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit-*",
      remaining: "x-ratelimit-remaining-*",
      reset: [{ header: "x-ratelimit-reset-*", in: "length" }]
    }
  ],
  cost: [
    { sum: ["usage.total_tokens"] },
    { sum: ["[].usage.total_tokens"] },
    { sum: ["[].response.usage.total_tokens"] }
  ],
  advice: ["Requests are counted over a day and tokens over a minute; cached tokens are not counted."]
}
