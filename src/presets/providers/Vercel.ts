import type { Preset } from "../Preset.ts"

/** What is known of Vercel. */
export const vercel: Preset = {
  name: "vercel",
  title: "Vercel",
  hosts: ["api.vercel.com"],
  lane: ["credential", "path"],
  limits: [
    {
      dialect: "headers",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "any" }]
    }
  ],
  advice: ["How x-ratelimit-reset is written is not documented: it is read by its size."]
}
