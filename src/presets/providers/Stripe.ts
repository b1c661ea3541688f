import type { Preset } from "../Preset.ts"

/** What is known of Stripe. */
export const stripe: Preset = {
  name: "stripe",
  title: "Stripe",
  hosts: ["api.stripe.com"],
  lane: ["credential", { name: "account", header: "stripe-account" }],
  idempotency: { header: "Idempotency-Key", methods: ["POST"] },
  advice: [
    "100 calls a second, 25 in a sandbox, 25 for each endpoint; nothing of it is told in headers.",
    "stripe-rate-limited-reason names the limit of a 429; one without it and with lock_timeout is a lock."
  ]
}
