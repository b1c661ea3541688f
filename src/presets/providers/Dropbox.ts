import type { Preset } from "../Preset.ts"

/** What is known of Dropbox. */
export const dropbox: Preset = {
  name: "dropbox",
  title: "Dropbox",
  hosts: ["api.dropboxapi.com", "content.dropboxapi.com"],
  lane: ["credential"],
  body_wait: [{ path: "error.retry_after", in: "seconds" }],
  advice: ["too_many_write_operations means that others write to the same namespace: write one after the other."]
}
