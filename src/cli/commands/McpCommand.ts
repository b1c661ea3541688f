/** `ezthrottle mcp`: a dam for agents, over standard input and output. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Globals from "../output/Globals.ts"
import * as Target from "../service/Target.ts"

// no other command waits for the protocol of agents
const loadServing = Effect.promise(() => import("../mcp/Serving.ts"))

export const command = Command.make("mcp", {}, () =>
  Effect.flatMap(Effect.all([Target.settle, loadServing]), ([{ apiKey, url }, { serve }]) => serve({ url, apiKey }))
).pipe(
  Command.withDescription(
    "Offers a dam to agents as a Model Context Protocol server over standard input and output: enqueue, get, wait, " +
      "explain, list jobs and lanes, health. Secrets are left out of every answer."
  ),
  Command.withShortDescription("Offer a dam to agents (MCP over stdio)"),
  Command.withExamples([
    { command: "ezthrottle mcp", description: "The dam of this machine" },
    { command: "ezthrottle mcp --url https://dam.example", description: "Another one; the key from EZTHROTTLE_API_KEY" }
  ]),
  Command.withGlobalFlags(Globals.service)
)
