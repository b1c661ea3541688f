/** `ezthrottle mcp`: a dam for agents, over standard input and output. */
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as McpCall from "./McpCall.ts"
import * as McpTools from "./McpTools.ts"
import { version } from "./version.ts"

const flags = {
  url: Flag.String("url").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("Where the dam listens; or EZTHROTTLE_URL in the environment (http://127.0.0.1:8080)"),
    Flag.withFallbackConfig(Config.String("EZTHROTTLE_URL")),
    Flag.withDefault("http://127.0.0.1:8080")
  ),
  apiKey: Flag.Redacted("api-key").pipe(
    Flag.withMetavar("KEY"),
    Flag.withDescription("A key of the dam, where it asks for one; or EZTHROTTLE_API_KEY in the environment"),
    Flag.withFallbackConfig(Config.Redacted("EZTHROTTLE_API_KEY")),
    Flag.optional
  )
} as const

const instructions =
  "Makes HTTP calls that survive: enqueue_job hands one over, wait_for_job waits for its result, explain_job says why " +
  "it is still waiting. An error ends with what to do, often a time after which the same call works."

/** Serves the tools until standard input ends. */
export const serve = (dam: McpCall.Dam) =>
  Effect.gen(function* () {
    const call = yield* McpCall.make(dam)
    return yield* Layer.launch(
      McpServer.layerStdio({
        name: "ezthrottle",
        version,
        instructions,
        protocols: [McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2025_03_26, McpProtocol.v2024_11_05],
        registrations: McpTools.layer(call)
      })
    )
  }).pipe(Effect.provide(FetchHttpClient.layer))

export const command = Command.make("mcp", flags, ({ apiKey, url }) =>
  serve({ url, apiKey: Option.getOrUndefined(apiKey) })
).pipe(
  Command.withDescription(
    "Offers a dam to agents as a Model Context Protocol server over standard input and output: enqueue, get, wait, " +
      "explain, list jobs and lanes, health. Secrets are left out of every answer."
  ),
  Command.withShortDescription("Offer a dam to agents (MCP over stdio)"),
  Command.withExamples([
    { command: "ezthrottle mcp", description: "The dam of this machine" },
    { command: "ezthrottle mcp --url https://dam.example", description: "Another one; the key from EZTHROTTLE_API_KEY" }
  ])
)
