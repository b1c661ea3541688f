import type { Preset } from "../Preset.ts"

/** What is known of PayPal. */
export const payPal: Preset = {
  name: "paypal",
  title: "PayPal",
  hosts: ["api-m.paypal.com"],
  lane: ["host"],
  idempotency: { header: "PayPal-Request-Id", methods: ["POST"] },
  advice: ["No limits are published. A PayPal-Request-Id is kept for 6 hours."]
}
