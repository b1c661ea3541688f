import type { Preset } from "../Preset.ts"

/** What is known of Anthropic. */
export const anthropic: Preset = {
  name: "anthropic",
  title: "Anthropic",
  hosts: ["api.anthropic.com"],
  credential: ["x-api-key", "authorization"],
  lane: ["credential", { name: "model", body: "model" }],
  limits: [
    {
      dialect: "headers",
      limit: "anthropic-ratelimit-*-limit",
      remaining: "anthropic-ratelimit-*-remaining",
      reset: [{ header: "anthropic-ratelimit-*-reset", in: "date" }]
    },
    {
      dialect: "headers",
      name: "priority-*",
      limit: "anthropic-priority-*-limit",
      remaining: "anthropic-priority-*-remaining",
      reset: [{ header: "anthropic-priority-*-reset", in: "date" }]
    }
  ],
  too_many: [{ status: [529] }],
  used_up: [{ status: [400], body: [{ path: "error.message", has: "credit balance is too low" }] }, { status: [402] }],
  cost: [
    { sum: ["usage.input_tokens", "usage.output_tokens"] },
    { sum: ["[].message.usage.input_tokens", "[].usage.output_tokens"] }
  ],
  advice: [
    "Requests, input and output tokens are limited apart, per class of models; cached input is mostly not counted.",
    "529 is an overload of the service, and announces no wait."
  ]
}
