import type { Preset } from "../Preset.ts"

/** What is known of eBay. */
export const eBay: Preset = {
  name: "ebay",
  title: "eBay",
  hosts: ["api.ebay.com"],
  lane: ["host"],
  advice: ["Calls a day for an app and API, often 5,000; getRateLimits of the analytics API tells what is left."]
}
