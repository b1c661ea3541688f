/** `ezthrottle dead`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Dead from "./Dead.ts"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import { talking } from "./Running.ts"

const filters = {
  host: Flags.text("host", "HOST", "Only webhooks of this host, with its port or for all its ports").pipe(
    Flag.optional
  ),
  job: Flags.text("job", "JOB-ID", "Only webhooks of this job").pipe(Flag.optional),
  ...Flags.window("Only those given up")
}

const all = Flag.Boolean("all").pipe(
  Flag.withoutNegation,
  Flag.withDescription("All of them, without a filter"),
  Flag.withDefault(false)
)

interface Filters extends Flags.Window {
  readonly host: Option.Option<string>
  readonly job: Option.Option<string>
}

const settle = ({ host, job, ...window }: Filters) =>
  Effect.map(Flags.settleWindow(window), (window) => ({
    host: Option.getOrUndefined(host),
    job: Option.getOrUndefined(job),
    ...window
  }))

const list = Command.make("list", { ...filters, limit: Flags.limit }, (input) =>
  talking(Effect.flatMap(settle(input), (filter) => Dead.list(filter, input.limit)))
).pipe(
  Command.withDescription(
    "Lists dead letters: webhooks that were tried until their last attempt, and why they failed."
  ),
  Command.withShortDescription("List webhooks that could not be delivered"),
  Command.withExamples([
    { command: "ezthrottle dead list --host hooks.example.com --since 1d", description: "Those of one receiver" }
  ])
)

const replay = Command.make(
  "replay",
  {
    ids: Argument.String("delivery-id").pipe(
      Argument.withDescription("Deliveries, as `dead list` names them"),
      Argument.atLeast(0)
    ),
    ...filters,
    all,
    rps: Flags.rps("How many a second at most")
  },
  (input) =>
    talking(
      Effect.flatMap(settle(input), (filter) =>
        Dead.replay({ ...filter, ids: input.ids, all: input.all, rps: Option.getOrUndefined(input.rps) })
      )
    )
).pipe(
  Command.withDescription(
    "Delivers dead letters once more, from their first attempt: the ones named, or what a filter leaves."
  ),
  Command.withShortDescription("Deliver dead letters once more"),
  Command.withExamples([
    {
      command: "ezthrottle dead replay --host hooks.example.com --rps 10",
      description: "Gently, after it was repaired"
    }
  ])
)

const purge = Command.make("purge", { ...filters, all }, (input) =>
  talking(Effect.flatMap(settle(input), (filter) => Dead.purge({ ...filter, ids: [], all: input.all, rps: undefined })))
).pipe(
  Command.withDescription(
    "Deletes dead letters: what a filter leaves, or all with --all. The jobs and their answers stay."
  ),
  Command.withShortDescription("Delete dead letters"),
  Command.withExamples([{ command: "ezthrottle dead purge --until 30d", description: "Older than a month" }])
)

export const command = Command.make("dead").pipe(
  Command.withDescription("Looks at webhooks that could not be delivered, delivers them again, or deletes them."),
  Command.withShortDescription("List, replay and purge dead letters"),
  Command.withExamples([{ command: "ezthrottle dead list", description: "What nobody was told" }]),
  Command.withSubcommands([list, replay, purge]),
  Command.withGlobalFlags(Globals.service)
)
