import type { Preset } from "../Preset.ts"

/** What is known of Airtable. */
export const airtable: Preset = {
  name: "airtable",
  title: "Airtable",
  hosts: ["api.airtable.com"],
  lane: [{ name: "base", after: ["v0"] }],
  too_many: [{ status: [429], wait_seconds: 30 }],
  used_up: [{ status: [429], body: [{ path: "errors[].error", is: "PUBLIC_API_BILLING_LIMIT_EXCEEDED" }] }],
  advice: ["5 calls a second for a base. After a 429 it refuses everything for 30 seconds, and says so nowhere."]
}
