/** `ezthrottle schedules`: the arguments, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Globals from "../output/Globals.ts"
import { talking } from "./Running.ts"
import * as Schedules from "./Schedules.ts"

const name = Argument.String("name").pipe(Argument.withDescription("The schedule"))

const list = Command.make("list", {}, () => talking(Schedules.list)).pipe(
  Command.withDescription("Lists the schedules of the caller, with when each fires next and how often it has."),
  Command.withShortDescription("List schedules with their next moments"),
  Command.withExamples([{ command: "ezthrottle schedules list", description: "All of them" }])
)

const show = Command.make("show", { name }, (input) => talking(Schedules.show(input.name))).pipe(
  Command.withDescription("Shows a schedule: what it calls, how it fires, and its next five moments."),
  Command.withShortDescription("Show a schedule and its next five moments"),
  Command.withExamples([{ command: "ezthrottle schedules show nightly", description: "One of them" }])
)

const put = Command.make(
  "put",
  {
    name,
    file: Argument.String("file").pipe(
      Argument.withMetavar("FILE|-"),
      Argument.withDescription("Its definition in JSON or YAML, - for standard input")
    )
  },
  (input) => talking(Schedules.put(input.name, input.file))
).pipe(
  Command.withDescription(
    "Defines a schedule, or all of it anew: cron with a zone or every_ms, and the job that each firing submits. " +
      "It goes on from now; one that is paused stays so."
  ),
  Command.withShortDescription("Define a schedule, or define it anew"),
  Command.withExamples([
    { command: "ezthrottle schedules put nightly nightly.yaml", description: "What stands in a file" }
  ])
)

const remove = Command.make("delete", { name }, (input) => talking(Schedules.remove(input.name))).pipe(
  Command.withDescription("Ends a schedule. Jobs that it has submitted go on."),
  Command.withShortDescription("End a schedule"),
  Command.withExamples([{ command: "ezthrottle schedules delete nightly", description: "For good" }])
)

const pause = Command.make("pause", { name }, (input) => talking(Schedules.pause(input.name))).pipe(
  Command.withDescription("Pauses a schedule: nothing is fired until it is resumed, and what waits is dropped."),
  Command.withShortDescription("Fire nothing until it is resumed"),
  Command.withExamples([{ command: "ezthrottle schedules pause nightly", description: "Until it is resumed" }])
)

const resume = Command.make("resume", { name }, (input) => talking(Schedules.resume(input.name))).pipe(
  Command.withDescription("Lets a schedule go on. What came in its pause is not made up."),
  Command.withShortDescription("Let a schedule go on"),
  Command.withExamples([{ command: "ezthrottle schedules resume nightly", description: "From now on" }])
)

const run = Command.make("run", { name }, (input) => talking(Schedules.run(input.name))).pipe(
  Command.withDescription("Submits the job of a schedule once, whatever its times and its pause say."),
  Command.withShortDescription("Submit its job now"),
  Command.withExamples([{ command: "ezthrottle schedules run nightly", description: "Once, now" }])
)

export const command = Command.make("schedules").pipe(
  Command.withDescription("Schedules of a dam: a job at each moment of a cron expression, or every so long."),
  Command.withShortDescription("List, show, put, delete, pause, resume and run schedules"),
  Command.withExamples([{ command: "ezthrottle schedules list", description: "All of them" }]),
  Command.withSubcommands([list, show, put, remove, pause, resume, run]),
  Command.withGlobalFlags(Globals.service)
)
