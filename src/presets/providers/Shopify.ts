import type { Preset } from "../Preset.ts"

/** What is known of Shopify. */
export const shopify: Preset = {
  name: "shopify",
  title: "Shopify",
  hosts: ["*.myshopify.com"],
  credential: ["x-shopify-access-token"],
  lane: ["host", "credential"],
  limits: [
    { dialect: "pair", name: "bucket", header: "x-shopify-shop-api-call-limit" },
    {
      dialect: "body",
      name: "cost",
      limit: "extensions.cost.throttleStatus.maximumAvailable",
      remaining: "extensions.cost.throttleStatus.currentlyAvailable"
    }
  ],
  too_many: [
    { body: [{ path: "errors[].extensions.code", is: "THROTTLED" }], wait_seconds: 1 },
    { body: [{ path: "errors[].message", is: "Throttled" }], wait_seconds: 1 }
  ],
  body_wait: [
    {
      needed: "extensions.cost.requestedQueryCost",
      available: "extensions.cost.throttleStatus.currentlyAvailable",
      per_second: "extensions.cost.throttleStatus.restoreRate"
    }
  ],
  cost: [{ sum: ["extensions.cost.actualQueryCost"] }],
  advice: [
    "A query is charged what it may cost, and given back what it did not.",
    "430 is a refusal for security and 423 a locked shop: neither is a limit that passes."
  ]
}
