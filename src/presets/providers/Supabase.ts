import type { Preset } from "../Preset.ts"

/** What is known of Supabase. */
export const supabase: Preset = {
  name: "supabase",
  title: "Supabase (management)",
  hosts: ["api.supabase.com"],
  lane: ["credential", { name: "project", after: ["projects"] }],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "seconds" }]
    }
  ],
  advice: ["120 calls a minute for a user and project."]
}
