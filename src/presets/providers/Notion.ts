import type { Preset } from "../Preset.ts"

/** What is known of Notion. */
export const notion: Preset = {
  name: "notion",
  title: "Notion",
  hosts: ["api.notion.com"],
  lane: ["credential"],
  too_many: [{ status: [529] }],
  advice: [
    "About 3 calls a second on average for a connection; the workspace has a limit that all connections share.",
    "529 is an overload, with Retry-After."
  ]
}
