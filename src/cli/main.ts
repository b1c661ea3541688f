/** The commands, and the code the process ends with. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as DamCommand from "./DamCommand.ts"
import * as McpCommand from "./McpCommand.ts"
import { version } from "./version.ts"

const ezthrottle = Command.make("ezthrottle").pipe(
  Command.withDescription("HTTP calls that survive"),
  Command.withSubcommands([DamCommand.command, McpCommand.command])
)

/** Does what the arguments say; answers the exit code. */
export const execute = (args: ReadonlyArray<string>): Effect.Effect<number> =>
  Command.runWith(ezthrottle, { version })(args).pipe(
    Effect.as(0),
    Effect.catch((error) => {
      // told already, with the usage; without an error in it, the usage is what was asked for
      if (CliError.isCliError(error))
        return Effect.succeed(error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : 2)
      return Effect.as(Console.error(`ezthrottle: ${error.message}`), error._tag === "InvalidSettings" ? 2 : 1)
    }),
    Effect.catchCause((cause) => Effect.as(Console.error(`ezthrottle: ${Cause.pretty(cause)}`), 1)),
    Effect.provide(
      Layer.mergeAll(
        NodeServices.layer,
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
        Layer.succeed(Logger.LogToStderr, true)
      )
    )
  )

/** Runs the process to its end. */
export const run = (args: ReadonlyArray<string>): void => {
  Effect.runFork(Effect.map(execute(args), (code) => process.exit(code)))
}
