/** The commands, and the code the process ends with. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as BackupCommand from "./commands/BackupCommand.ts"
import * as CredentialsCommand from "./commands/CredentialsCommand.ts"
import * as DamCommand from "./commands/DamCommand.ts"
import * as DeadCommand from "./commands/DeadCommand.ts"
import * as DoctorCommand from "./commands/DoctorCommand.ts"
import * as FailuresCommand from "./commands/FailuresCommand.ts"
import { typed, typedLine } from "./output/commandName.ts"
import * as Globals from "./output/Globals.ts"
import * as JobsCommand from "./commands/JobsCommand.ts"
import * as LanesCommand from "./commands/LanesCommand.ts"
import * as LimitsCommand from "./commands/LimitsCommand.ts"
import * as McpCommand from "./commands/McpCommand.ts"
import * as NoticesCommand from "./commands/NoticesCommand.ts"
import * as PresetsCommand from "./commands/PresetsCommand.ts"
import { exits, problem, type Problem } from "./output/Problem.ts"
import * as OrdersCommand from "./commands/OrdersCommand.ts"
import * as BatchesCommand from "./commands/BatchesCommand.ts"
import * as SchedulesCommand from "./commands/SchedulesCommand.ts"
import * as SecretsCommand from "./commands/SecretsCommand.ts"
import * as SubmitCommand from "./commands/SubmitCommand.ts"
import { version } from "../transport/Version.ts"

export const ezthrottle = Command.make("ezthrottle").pipe(
  Command.withDescription("HTTP calls that survive"),
  Command.withExamples([
    { command: "ezthrottle dam", description: "Start a dam on this machine" },
    { command: "ezthrottle submit job.json", description: "Hand it a job" },
    { command: "ezthrottle --completions zsh", description: "Completions for a shell: bash, zsh, fish, powershell" }
  ]),
  Command.withSubcommands([
    SubmitCommand.run,
    SubmitCommand.submit,
    JobsCommand.command,
    FailuresCommand.command,
    LanesCommand.explain,
    LanesCommand.lanes,
    LimitsCommand.command,
    BatchesCommand.command,
    SchedulesCommand.command,
    OrdersCommand.command,
    DeadCommand.command,
    SecretsCommand.command,
    CredentialsCommand.command,
    NoticesCommand.command,
    PresetsCommand.command,
    DoctorCommand.command,
    DamCommand.command,
    BackupCommand.command,
    McpCommand.command
  ]),
  Command.withGlobalFlags(Globals.everywhere)
)

/** Does what the arguments say; answers the exit code. */
export const execute = (args: ReadonlyArray<string>): Effect.Effect<number> =>
  Command.runWith(ezthrottle, { version })(args).pipe(
    Effect.as<number>(exits.done),
    Effect.catch((error) => {
      // told already, with the usage; without an error in it, the usage is what was asked for
      if (CliError.isCliError(error)) {
        return Effect.succeed(error._tag === "ShowHelp" && error.errors.length === 0 ? exits.done : exits.usage)
      }
      return tell(args, error._tag === "Problem" ? error : ofDam(error))
    }),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.succeed(exits.interrupted)
        : tell(
            args,
            problem("failed", `something is broken in ezthrottle itself: ${firstLine(Cause.pretty(cause))}`, {
              next: "run it with --verbose and report it",
              code: "defect",
              details: [Cause.pretty(cause)]
            })
          )
    ),
    Effect.provide(
      Layer.mergeAll(
        NodeServices.layer,
        CliOutput.layerPresenter(presenter(args)),
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
        Layer.succeed(Logger.LogToStderr, true)
      )
    )
  )

/** One line, or one object for programs; details only when they were asked for. */
const tell = (args: ReadonlyArray<string>, { code, details, exit, message, next, problem }: Problem) => {
  const isVerbose = args.includes("--verbose")
  const text = args.includes("--json")
    ? JSON.stringify({
        error: typed(problem),
        code,
        exit,
        next: next === undefined ? null : typed(next),
        ...(isVerbose ? { details } : {})
      })
    : [`ezthrottle: ${typed(message)}`, ...(isVerbose ? details.map((detail) => `  ${detail}`) : [])].join("\n")
  return Effect.as(Console.error(text), exit)
}

/** A wrong command line is told in one line too, and not by the whole help. */
const presenter = (args: ReadonlyArray<string>): CliOutput.Presenter => ({
  present: (event) => {
    switch (event._tag) {
      case "InvalidInvocation":
        return Effect.asVoid(
          tell(
            args,
            problem("usage", event.errors.map(({ message }) => oneLine(message)).join("; "), {
              next: `see \`${event.commandPath.join(" ")} --help\``
            })
          )
        )
      case "Help":
        return CliOutput.defaultPresenter.present({ ...event, helpDoc: asTyped(event.helpDoc) })
      case "Version":
        return CliOutput.defaultPresenter.present(event)
    }
  }
})

const asTyped = (help: HelpDoc): HelpDoc => ({
  ...help,
  usage: typedLine(help.usage),
  ...(help.examples === undefined
    ? {}
    : { examples: help.examples.map((example) => ({ ...example, command: typedLine(example.command) })) })
})

const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/\s+Did you mean this\?\s+(.+)$/s, "; did you mean $1?")
    .replace(/\s*\n\s*/g, " ")

/** What keeps a dam from starting says what to do itself. */
const ofDam = (error: { readonly _tag: string; readonly message: string }): Problem =>
  problem(error._tag === "InvalidSettings" ? "usage" : "failed", error.message, {
    code: error._tag === "InvalidSettings" ? "bad_settings" : "cannot_start"
  })

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? ""

/** Runs the process to its end. */
export const run = (args: ReadonlyArray<string>): void => {
  // whoever reads the output may have seen enough, as `head` has
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))
  Effect.runFork(
    Effect.map(execute(args), (code) => {
      // what was written is not lost in a pipe that is read slowly
      process.stdout.write("", () => process.exit(code))
    })
  )
}
