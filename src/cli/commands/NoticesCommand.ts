/** `ezthrottle notices`: the flags, and what becomes of them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Struct from "effect/Struct"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import * as Moments from "../output/Moments.ts"
import * as Notices from "./Notices.ts"
import { talking } from "./Running.ts"

const get = Command.make("get", {}, () => talking(Notices.get)).pipe(
  Command.withDescription("Shows who is told what, what was told and is not over, and whom it could not be told to."),
  Command.withShortDescription("Show who is told what, and what is not over"),
  Command.withExamples([{ command: "ezthrottle notices get", description: "As it is now" }])
)

/** A number from which on something is told. */
const mark = (name: string, least: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (mark) => mark >= least && Number.isSafeInteger(mark),
      () => `a whole number from ${least} on`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.optional
  )

const thresholds = {
  endpointFailures: mark("endpoint-failures", 1, "Told after so many failed deliveries in a row to one endpoint"),
  deadLetters: mark("dead-letters", 0, "Told above so many dead letters"),
  laneHeld: Moments.span("lane-held", "Told once a lane is held for so long").pipe(
    Flag.filter(
      (held) => held > 0,
      () => "a length of time above zero"
    ),
    Flag.optional
  ),
  storedBytes: mark("stored-bytes", 1, "Told once the database holds so many bytes"),
  memoryBytes: mark("memory-bytes", 1, "Told once the dam takes so many bytes of memory")
}

/** By the names of the API, those that were said. */
const thresholdsOf = (given: { readonly [Name in keyof typeof thresholds]: Option.Option<number> }) =>
  Object.fromEntries(
    Struct.keys(names).flatMap((name) => Option.toArray(Option.map(given[name], (value) => [names[name], value])))
  )

const names = {
  endpointFailures: "endpoint_failures",
  deadLetters: "dead_letters",
  laneHeld: "lane_held_ms",
  storedBytes: "stored_bytes",
  memoryBytes: "memory_bytes"
} as const

const set = Command.make(
  "set",
  {
    urls: Flags.text("to", "URL", "Where notices go; may be repeated").pipe(Flag.atLeast(0)),
    events: Flags.text("event", "NAME", "What is told; may be repeated").pipe(Flag.atLeast(0)),
    off: Flag.Boolean("off").pipe(Flag.withDescription("Tell nobody"), Flag.withDefault(false)),
    ...thresholds
  },
  ({ events, off, urls, ...marks }) => talking(Notices.set({ events, off, urls, thresholds: thresholdsOf(marks) }))
).pipe(
  Command.withDescription(
    "Chooses where notices go, what they tell and from when on, over the configuration and over restarts. What is not said stays."
  ),
  Command.withShortDescription("Choose where notices go, what they tell, and from when on"),
  Command.withExamples([
    { command: "ezthrottle notices set --to https://ops.example.com/ezthrottle", description: "Be told of everything" },
    { command: "ezthrottle notices set --event endpoint_disabled --event dead_letters", description: "Of these only" },
    {
      command: "ezthrottle notices set --dead-letters 0 --lane-held 30m",
      description: "Of every dead letter, of long holds"
    }
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
