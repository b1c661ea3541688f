import type { Preset } from "../Preset.ts"

/** What is known of Salesforce. */
export const salesforce: Preset = {
  name: "salesforce",
  title: "Salesforce",
  hosts: ["*.my.salesforce.com"],
  lane: ["host"],
  limits: [{ dialect: "pair", name: "daily", header: "sforce-limit-info", key: "api-usage" }],
  used_up: [{ status: [403], body: [{ path: "[].errorCode", is: "REQUEST_LIMIT_EXCEEDED" }] }],
  advice: ["The limit is one of the last 24 hours, for the whole organisation; 25 long calls may run at once."]
}
