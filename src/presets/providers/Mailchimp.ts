import type { Preset } from "../Preset.ts"

/** What is known of Mailchimp. */
export const mailchimp: Preset = {
  name: "mailchimp",
  title: "Mailchimp",
  hosts: ["*.api.mailchimp.com"],
  lane: ["credential"],
  too_many: [{ status: [403], body: [{ is: "" }] }],
  advice: ["10 calls may run at once for a user. At high load a refusal may be a 403 without a body."]
}
