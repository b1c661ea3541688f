import type { Preset } from "../Preset.ts"

/** What is known of Google. */
export const gemini: Preset = {
  name: "gemini",
  title: "Google (Gemini, Vertex, other APIs)",
  hosts: ["generativelanguage.googleapis.com", "*-aiplatform.googleapis.com", "*.googleapis.com"],
  credential: ["x-goog-api-key", "authorization"],
  lane: ["credential", { name: "model", after: ["models"] }],
  too_many: [
    { status: [403], body: [{ path: "error.errors[].reason", is: ["rateLimitExceeded", "userRateLimitExceeded"] }] }
  ],
  used_up: [
    { status: [429], body: [{ path: "error.details[].violations[].quotaId", has: "PerDay" }] },
    { status: [403], body: [{ path: "error.errors[].reason", is: "dailyLimitExceeded" }] }
  ],
  body_wait: [{ path: "error.details[].retryDelay", in: "length" }],
  cost: [{ sum: ["usageMetadata.totalTokenCount"] }, { sum: ["[].usageMetadata.totalTokenCount"] }],
  advice: [
    "No header tells a limit.",
    "A quota of a day is renewed at midnight Pacific time, whatever short retryDelay stands beside it."
  ]
}
