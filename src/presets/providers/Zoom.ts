import type { Preset } from "../Preset.ts"

/** What is known of Zoom. */
export const zoom: Preset = {
  name: "zoom",
  title: "Zoom",
  hosts: ["api.zoom.us"],
  lane: ["host", { name: "category", answer: "x-ratelimit-category" }],
  limits: [{ dialect: "headers", limit: "x-ratelimit-limit", remaining: "x-ratelimit-remaining" }],
  used_up: [{ status: [429], headers: { "x-ratelimit-type": "Daily-limit" }, until: "told" }],
  advice: [
    "Endpoints are light, medium, heavy or intensive; the plan says how many of each a second, and of some a day."
  ]
}
