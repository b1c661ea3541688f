import type { Preset } from "../Preset.ts"

/** What is known of Asana. */
export const asana: Preset = {
  name: "asana",
  title: "Asana",
  hosts: ["app.asana.com"],
  lane: ["credential"],
  advice: ["150 calls a minute for a token, 1,500 on paid plans; 60 searches a minute."]
}
