import type { Preset } from "../Preset.ts"

/** What is known of Reddit. */
export const reddit: Preset = {
  name: "reddit",
  title: "Reddit",
  hosts: ["oauth.reddit.com"],
  lane: ["host"],
  limits: [
    { dialect: "headers", remaining: "x-ratelimit-remaining", reset: [{ header: "x-ratelimit-reset", in: "seconds" }] }
  ],
  advice: ["About 600 calls in 10 minutes for a client, which has to send a User-Agent of its own."]
}
