import type { Preset } from "../Preset.ts"

/** What is known of Azure OpenAI. */
export const azureOpenAi: Preset = {
  name: "azure-openai",
  title: "Azure OpenAI",
  hosts: ["*.openai.azure.com", "*.services.ai.azure.com"],
  credential: ["api-key", "authorization"],
  lane: ["host", { name: "deployment", after: ["deployments"] }],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit-*",
      remaining: "x-ratelimit-remaining-*",
      reset: [{ header: "x-ratelimit-reset-*", in: "seconds" }]
    }
  ],
  too_many: [
    { status: [200], body: [{ path: "[].code", is: "rate_limit_exceeded" }] },
    { status: [200], body: [{ path: "[].error.code", is: "rate_limit_exceeded" }] }
  ],
  cost: [
    { sum: ["usage.total_tokens"] },
    { sum: ["[].usage.total_tokens"] },
    { sum: ["[].response.usage.total_tokens"] }
  ],
  advice: [
    "A streamed call may be refused inside its 200, by an event that is an error.",
    "Figures of -1 are not told."
  ]
}
