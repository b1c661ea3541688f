/** `ezthrottle notices`: the flags, and what becomes of them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import * as Notices from "./Notices.ts"
import { talking } from "./Running.ts"

const get = Command.make("get", {}, () => talking(Notices.get)).pipe(
  Command.withDescription("Shows who is told what, what was told and is not over, and whom it could not be told to."),
  Command.withShortDescription("Show who is told what, and what is not over"),
  Command.withExamples([{ command: "ezthrottle notices get", description: "As it is now" }])
)

const set = Command.make(
  "set",
  {
    urls: Flags.text("to", "URL", "Where notices go; may be repeated").pipe(Flag.atLeast(0)),
    events: Flags.text("event", "NAME", "What is told; may be repeated").pipe(Flag.atLeast(0)),
    off: Flag.Boolean("off").pipe(Flag.withDescription("Tell nobody"), Flag.withDefault(false))
  },
  (choice) => talking(Notices.set(choice))
).pipe(
  Command.withDescription(
    "Chooses where notices go and what they tell, over the configuration and over restarts. What is not said stays."
  ),
  Command.withShortDescription("Choose where notices go, and what they tell"),
  Command.withExamples([
    { command: "ezthrottle notices set --to https://ops.example.com/ezthrottle", description: "Be told of everything" },
    { command: "ezthrottle notices set --event endpoint_disabled --event dead_letters", description: "Of these only" }
  ])
)

const reset = Command.make("reset", {}, () => talking(Notices.reset)).pipe(
  Command.withDescription("Goes back to what the configuration of the dam says."),
  Command.withShortDescription("Go back to the configuration"),
  Command.withExamples([{ command: "ezthrottle notices reset", description: "Forget what was set" }])
)

export const command = Command.make("notices").pipe(
  Command.withDescription(
    "Webhooks of the dam's own, for whoever runs it: endpoints, dead letters, lanes, disk, memory."
  ),
  Command.withShortDescription("Be told of endpoints, dead letters, lanes, disk and memory"),
  Command.withExamples([{ command: "ezthrottle notices get", description: "Who is told what" }]),
  Command.withSubcommands([get, set, reset]),
  Command.withGlobalFlags(Globals.service)
)
