import type { Preset } from "../Preset.ts"

/** What is known of Spotify. */
export const spotify: Preset = {
  name: "spotify",
  title: "Spotify",
  hosts: ["api.spotify.com"],
  lane: ["host"],
  advice: [
    "The limit is one of the last 30 seconds for the app, and is not published; none of it is confirmed by the vendor."
  ]
}
