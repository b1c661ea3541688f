import type { Preset } from "../Preset.ts"

/** What is known of Docker Hub. */
export const dockerHub: Preset = {
  name: "docker-hub",
  title: "Docker Hub",
  hosts: ["registry-1.docker.io", "auth.docker.io"],
  lane: ["credential"],
  limits: [{ dialect: "headers", name: "pulls", limit: "ratelimit-limit", remaining: "ratelimit-remaining" }],
  advice: [
    "100 pulls in 6 hours for an address, 200 for a personal account. HEAD on a manifest is free.",
    "No headers mean no limit, with paid accounts."
  ]
}
