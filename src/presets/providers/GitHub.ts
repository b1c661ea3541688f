import type { Preset } from "../Preset.ts"

/** What is known of GitHub. */
export const gitHub: Preset = {
  name: "github",
  title: "GitHub",
  hosts: ["api.github.com"],
  lane: [
    "credential",
    {
      name: "resource",
      answer: "x-ratelimit-resource",
      paths: { "/search/code": "code_search", "/search/**": "search", "/graphql": "graphql" },
      otherwise: "core"
    }
  ],
  limits: [
    {
      dialect: "headers",
      name: "{x-ratelimit-resource}",
      limit: "x-ratelimit-limit",
      remaining: "x-ratelimit-remaining",
      reset: [{ header: "x-ratelimit-reset", in: "epoch_seconds" }]
    }
  ],
  too_many: [
    { status: [403, 429], exhausted: true, wait_seconds: 60 },
    { status: [403, 429], body: [{ path: "message", has: "secondary rate" }], wait_seconds: 60 },
    { status: [200, 403], body: [{ path: "errors[].message", has: "secondary rate" }], wait_seconds: 60 },
    { status: [200], body: [{ path: "errors[].type", is: "RATE_LIMITED" }], wait_seconds: 60 },
    { status: [429], wait_seconds: 60 }
  ],
  wider: [
    { body: [{ path: "message", has: "secondary rate" }], lanes: "credential" },
    { body: [{ path: "errors[].message", has: "secondary rate" }], lanes: "credential" }
  ],
  cost: [{ sum: ["data.rateLimit.cost"] }],
  advice: [
    "The secondary limits are never told: 100 calls at once, 900 points a minute, 80 writes a minute and 500 an hour.",
    "Going on while calls are refused can get an integration banned.",
    "The cost of a GraphQL query is told where the query asks for rateLimit { cost }."
  ]
}
