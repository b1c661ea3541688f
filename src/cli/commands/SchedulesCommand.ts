/** `ezthrottle schedules`: the arguments, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Globals from "../output/Globals.ts"
import { talking } from "./Running.ts"
import * as Schedules from "./Schedules.ts"
import * as SchedulesFile from "./SchedulesFile.ts"

const name = Argument.String("name").pipe(Argument.withDescription("The schedule"))

const list = Command.make("list", {}, () => talking(Schedules.list)).pipe(
  Command.withDescription("Lists the schedules of the caller, with when each fires next and how often it has."),
  Command.withShortDescription("List schedules with their next moments"),
  Command.withExamples([{ command: "ezthrottle schedules list", description: "All of them" }])
)

interface About {
  readonly does: (name: string) => ReturnType<typeof Schedules.show>
  readonly long: string
  readonly short: string
  readonly example: string
}

/** A verb about one schedule. */
const about = (verb: string, { does, example, long, short }: About) =>
  Command.make(verb, { name }, (input) => talking(does(input.name))).pipe(
    Command.withDescription(long),
    Command.withShortDescription(short),
    Command.withExamples([{ command: `ezthrottle schedules ${verb} nightly`, description: example }])
  )

const show = about("show", {
  does: Schedules.show,
  long: "Shows a schedule: what it calls, how it fires, and its next five moments.",
  short: "Show a schedule and its next five moments",
  example: "One of them"
})

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

const apply = Command.make(
  "apply",
  {
    file: Argument.String("file").pipe(
      Argument.withMetavar("FILE|-"),
      Argument.withDescription("Schedules by their names in JSON or YAML, - for standard input")
    ),
    deletes: Flag.Boolean("delete").pipe(
      Flag.withoutNegation,
      Flag.withDescription("End schedules that the file does not name"),
      Flag.withDefault(false)
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Show what would change, and change nothing"),
      Flag.withDefault(false)
    )
  },
  (input) => talking(SchedulesFile.apply(input))
).pipe(
  Command.withDescription(
    "Makes the schedules of a file those of the dam: shows what is added, changed and left, then applies all of it or, when " +
      "one entry cannot be, nothing. What is unchanged goes on untouched; what the file does not name stays unless --delete says otherwise."
  ),
  Command.withShortDescription("Apply a file of schedules as a whole"),
  Command.withExamples([
    { command: "ezthrottle schedules apply schedules.yaml --dry-run", description: "What would change" },
    { command: "ezthrottle schedules apply schedules.yaml --delete", description: "These and no others" }
  ])
)

const remove = about("delete", {
  does: Schedules.remove,
  long: "Ends a schedule. Jobs that it has submitted go on.",
  short: "End a schedule",
  example: "For good"
})

const pause = about("pause", {
  does: Schedules.pause,
  long: "Pauses a schedule: nothing is fired until it is resumed, and what waits is dropped.",
  short: "Fire nothing until it is resumed",
  example: "Until it is resumed"
})

const resume = about("resume", {
  does: Schedules.resume,
  long: "Lets a schedule go on. What came in its pause is not made up.",
  short: "Let a schedule go on",
  example: "From now on"
})

const run = about("run", {
  does: Schedules.run,
  long: "Submits the job of a schedule once, whatever its times and its pause say.",
  short: "Submit its job now",
  example: "Once, now"
})

export const command = Command.make("schedules").pipe(
  Command.withDescription("Schedules of a dam: a job at each moment of a cron expression, or every so long."),
  Command.withShortDescription("List, show, put, apply, delete, pause, resume and run schedules"),
  Command.withExamples([{ command: "ezthrottle schedules list", description: "All of them" }]),
  Command.withSubcommands([list, show, put, apply, remove, pause, resume, run]),
  Command.withGlobalFlags(Globals.service)
)
