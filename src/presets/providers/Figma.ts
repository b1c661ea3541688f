import type { Preset } from "../Preset.ts"

/** What is known of Figma. */
export const figma: Preset = {
  name: "figma",
  title: "Figma",
  hosts: ["api.figma.com"],
  credential: ["x-figma-token", "authorization"],
  lane: ["credential"],
  advice: [
    "Limits are by plan, seat and tier of the endpoint. Retry-After may be days: x-figma-rate-limit-type: low says why."
  ]
}
