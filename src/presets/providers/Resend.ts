import type { Preset } from "../Preset.ts"

/** What is known of Resend. */
export const resend: Preset = {
  name: "resend",
  title: "Resend",
  hosts: ["api.resend.com"],
  lane: ["credential"],
  limits: [
    {
      dialect: "headers",
      limit: "ratelimit-limit",
      remaining: "ratelimit-remaining",
      reset: [{ header: "ratelimit-reset", in: "seconds" }]
    }
  ],
  used_up: [{ status: [429], body: [{ path: "name", is: ["daily_quota_exceeded", "monthly_quota_exceeded"] }] }],
  idempotency: { header: "Idempotency-Key", methods: ["POST"] },
  advice: [
    "10 calls a second for a team, over all its keys.",
    "x-resend-daily-quota and x-resend-monthly-quota count what is used."
  ]
}
