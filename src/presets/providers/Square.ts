import type { Preset } from "../Preset.ts"

/** What is known of Square. */
export const square: Preset = {
  name: "square",
  title: "Square",
  hosts: ["connect.squareup.com"],
  lane: ["credential"],
  advice: ["No limits are published. The key against doing things twice stands in the body: idempotency_key."]
}
