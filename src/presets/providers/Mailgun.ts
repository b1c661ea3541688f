import type { Preset } from "../Preset.ts"

/** What is known of Mailgun. */
export const mailgun: Preset = {
  name: "mailgun",
  title: "Mailgun",
  hosts: ["api.mailgun.net", "api.eu.mailgun.net"],
  lane: ["credential"],
  advice: ["Which headers tell its limits is not confirmed: the common forms are read."]
}
