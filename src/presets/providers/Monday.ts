import type { Preset } from "../Preset.ts"

/** What is known of monday.com. */
export const monday: Preset = {
  name: "monday",
  title: "monday.com",
  hosts: ["api.monday.com"],
  lane: ["credential"],
  too_many: [
    { status: [200, 429], body: [{ path: "errors[].extensions.code", is: "COMPLEXITY_BUDGET_EXHAUSTED" }] },
    { status: [200], body: [{ path: "error_code", is: "ComplexityException" }] },
    { status: [200], body: [{ path: "errors[].extensions.code", is: "ComplexityException" }] }
  ],
  used_up: [
    {
      status: [200, 429],
      body: [{ path: "errors[].extensions.code", is: "DAILY_LIMIT_EXCEEDED" }],
      until: "midnight_utc"
    }
  ],
  body_wait: [
    { path: "errors[].extensions.retry_in_seconds", in: "seconds" },
    { path: "retry_in_seconds", in: "seconds" }
  ],
  cost: [{ sum: ["data.complexity.query"] }],
  advice: [
    "5,000,000 points of complexity a query, and as many a minute to read and to write; a query that asks for complexity { query } is told its own."
  ]
}
