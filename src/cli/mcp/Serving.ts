/** A dam for agents, over standard input and output. */
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as McpCall from "./Call.ts"
import * as McpTools from "./Tools.ts"
import { version } from "../../transport/Version.ts"

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
