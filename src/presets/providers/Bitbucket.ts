import type { Preset } from "../Preset.ts"

/** What is known of Bitbucket. */
export const bitbucket: Preset = {
  name: "bitbucket",
  title: "Bitbucket",
  hosts: ["api.bitbucket.org"],
  lane: ["credential", { name: "resource", answer: "x-ratelimit-resource" }],
  limits: [{ dialect: "headers", name: "{x-ratelimit-resource}", limit: "x-ratelimit-limit" }],
  advice: ["1,000 calls an hour for a user and most resources; not confirmed by the vendor. What is left is not told."]
}
