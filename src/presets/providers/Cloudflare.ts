import type { Preset } from "../Preset.ts"

/** What is known of Cloudflare. */
export const cloudflare: Preset = {
  name: "cloudflare",
  title: "Cloudflare",
  hosts: ["api.cloudflare.com"],
  lane: ["credential"],
  limits: [{ dialect: "common" }],
  advice: ["1,200 calls in 5 minutes for a user; whoever goes over is refused everything for 5 minutes."]
}
