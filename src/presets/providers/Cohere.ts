import type { Preset } from "../Preset.ts"

/** What is known of Cohere. */
export const cohere: Preset = {
  name: "cohere",
  title: "Cohere",
  hosts: ["api.cohere.com"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      name: "trial",
      limit: "x-trial-endpoint-call-limit",
      remaining: "x-trial-endpoint-call-remaining"
    },
    { dialect: "headers", name: "monthly", limit: "x-endpoint-monthly-call-limit" }
  ],
  cost: [
    { sum: ["meta.billed_units.input_tokens", "meta.billed_units.output_tokens"] },
    { sum: ["meta.billed_units.search_units"] }
  ],
  advice: ["Only trial keys tell limits: 20 calls a minute and 1,000 a month."]
}
