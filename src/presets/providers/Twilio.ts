import type { Preset } from "../Preset.ts"

/** What is known of Twilio. */
export const twilio: Preset = {
  name: "twilio",
  title: "Twilio",
  hosts: ["api.twilio.com"],
  lane: ["credential"],
  advice: [
    "What is limited is how many calls run at once; twilio-concurrent-requests tells how many do, and nothing how many may."
  ]
}
