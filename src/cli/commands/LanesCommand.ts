/** `ezthrottle lanes` and `ezthrottle explain`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import * as Lanes from "./Lanes.ts"
import { talking } from "./Running.ts"

const lane = Argument.String("host").pipe(
  Argument.withDescription("The host of the lane: a name, name:port, a URL, or name:port#key")
)

const list = Command.make(
  "list",
  {
    prefix: Flags.text("prefix", "TEXT", "Only lanes whose name begins so").pipe(Flag.optional),
    limit: Flags.limit
  },
  ({ limit, prefix }) => talking(Lanes.list(Option.getOrUndefined(prefix), limit))
).pipe(
  Command.withDescription("Lists lanes: how much waits for each host, at which pace it goes, and what holds it."),
  Command.withShortDescription("List lanes with depth, pace and holds"),
  Command.withExamples([{ command: "ezthrottle lanes list --prefix api.", description: "Those of one kind of host" }])
)

const pause = Command.make(
  "pause",
  {
    lane,
    note: Flags.text("note", "TEXT", "Why, for whoever finds it paused").pipe(Flag.optional)
  },
  ({ lane, note }) => talking(Lanes.steer(lane, "pause", Option.isSome(note) ? { note: note.value } : {}))
).pipe(
  Command.withDescription("Starts no call to this host any more; what is under way ends. It holds over a restart."),
  Command.withShortDescription("Stop calls to a host"),
  Command.withExamples([
    { command: 'ezthrottle lanes pause api.example.com --note "their maintenance"', description: "Until it is resumed" }
  ])
)

const resume = Command.make("resume", { lane }, (input) => talking(Lanes.steer(input.lane, "resume", {}))).pipe(
  Command.withDescription("Goes on with the calls to a host that was paused."),
  Command.withShortDescription("Go on with a paused host"),
  Command.withExamples([{ command: "ezthrottle lanes resume api.example.com", description: "Go on" }])
)

const set = Command.make(
  "set",
  {
    lane,
    rps: Flags.rps("Calls per second; 0.5 is one every two seconds"),
    maxConcurrent: Flag.Int("max-concurrent").pipe(
      Flag.filter(
        (count) => count > 0,
        () => "at least one call has to be possible"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("Calls at once"),
      Flag.optional
    ),
    find: Flag.Boolean("find").pipe(
      Flag.withDescription(
        "Have the pace found out; --rps and --max-concurrent are then its ceiling (--no-find: as set)"
      ),
      Flag.optional
    )
  },
  ({ find, lane, maxConcurrent, rps }) =>
    talking(
      Lanes.set(lane, {
        rps: Option.getOrUndefined(rps),
        maxConcurrent: Option.getOrUndefined(maxConcurrent),
        find: Option.getOrUndefined(find)
      })
    )
).pipe(
  Command.withDescription("Sets the pace of a host, over what was configured or learnt, until it is reset."),
  Command.withShortDescription("Set the pace of a host"),
  Command.withExamples([
    { command: "ezthrottle lanes set api.example.com --rps 5 --max-concurrent 2", description: "Slow down" },
    {
      command: "ezthrottle lanes set api.example.com --find --rps 100",
      description: "Have the pace found, up to 100 a second"
    }
  ])
)

const reset = Command.make("reset", { lane }, (input) => talking(Lanes.steer(input.lane, "reset", {}))).pipe(
  Command.withDescription("Forgets what was learnt and set for a host: its pace and its holds begin anew."),
  Command.withShortDescription("Forget what was learnt and set"),
  Command.withExamples([{ command: "ezthrottle lanes reset api.example.com", description: "Begin anew" }])
)

const rule = Command.make(
  "rule",
  {
    lane,
    parts: Argument.String("part").pipe(
      Argument.withDescription(
        "host for one lane; or credential, method, path, after:WORD, header:NAME, body:PATH, metadata:NAME, answer:HEADER"
      ),
      Argument.variadic()
    ),
    reset: Flag.Boolean("reset").pipe(
      Flag.withDescription("Take it back: what is configured or known holds again"),
      Flag.withDefault(false)
    )
  },
  (input) => talking(Lanes.rule(input.lane, input.parts, input.reset))
).pipe(
  Command.withDescription(
    "Sets by what the calls to a host are told apart: each key has a lane. Over what is configured or known, until it is taken back."
  ),
  Command.withShortDescription("Tell the calls to a host apart"),
  Command.withExamples([
    { command: "ezthrottle lanes rule api.example.com credential", description: "A lane for each key" },
    { command: "ezthrottle lanes rule api.example.com credential body:model", description: "And for each model" },
    { command: "ezthrottle lanes rule api.example.com --reset", description: "As it is configured or known" }
  ])
)

const breaker = Command.make(
  "breaker",
  {
    lane,
    state: Argument.Literals("state", ["open", "close", "isolate"]).pipe(
      Argument.withDescription(
        "open: it recovers by itself; close: as if nothing had failed; isolate: until it is closed"
      )
    ),
    note: Flags.text("note", "TEXT", "Why, for whoever finds it so").pipe(Flag.optional)
  },
  ({ lane, note, state }) =>
    talking(
      Lanes.steer(lane, "breaker", {
        state: breakerStates[state],
        ...(Option.isSome(note) ? { note: note.value } : {})
      })
    )
).pipe(
  Command.withDescription(
    "Opens, closes or isolates the breaker of a host. An open one leaves the host alone for a while, then one call asks, then a growing share goes."
  ),
  Command.withShortDescription("Open, close or isolate the breaker of a host"),
  Command.withExamples([
    { command: "ezthrottle lanes breaker api.example.com open", description: "Leave it alone, and let it come back" },
    { command: "ezthrottle lanes breaker api.example.com close", description: "It is well again" }
  ])
)

const breakerStates = { open: "open", close: "closed", isolate: "isolated" } as const

const log = Command.make("log", { lane }, (input) => talking(Lanes.log(input.lane))).pipe(
  Command.withDescription("Shows who paused, resumed, set or reset a lane, and when."),
  Command.withShortDescription("Show who changed a lane, and when"),
  Command.withExamples([{ command: "ezthrottle lanes log api.example.com", description: "What was done to it" }])
)

const history = Command.make(
  "history",
  {
    lane: lane.pipe(Argument.optional),
    hours: Flag.Int("hours").pipe(
      Flag.filter(
        (hours) => hours >= 1 && hours <= 168,
        () => "a week is kept: 1 to 168 hours"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("How far back; up to a day in spans of five minutes, beyond in hours"),
      Flag.withDefault(24)
    )
  },
  ({ hours, lane }) => talking(Lanes.history(Option.getOrUndefined(lane), hours))
).pipe(
  Command.withDescription(
    "Shows what went through a lane, or through all of them: jobs, calls, refusals, time held and how long calls took. " +
      "It is kept for a week, over restarts."
  ),
  Command.withShortDescription("What went through, over hours and days"),
  Command.withExamples([
    { command: "ezthrottle lanes history api.example.com --hours 168", description: "The last week, hour by hour" }
  ])
)

export const lanes = Command.make("lanes").pipe(
  Command.withDescription("Looks at lanes, the pace of each host, and steers them while they run."),
  Command.withShortDescription("List, pause, resume, set and reset the lanes of hosts"),
  Command.withExamples([{ command: "ezthrottle lanes list", description: "All of them" }]),
  Command.withSubcommands([list, pause, resume, set, rule, breaker, reset, log, history]),
  Command.withGlobalFlags(Globals.service)
)

export const explain = Command.make(
  "explain",
  { id: Argument.String("job-id").pipe(Argument.withDescription("The job that waits")) },
  ({ id }) => talking(Lanes.explain(id))
).pipe(
  Command.withDescription("Says why a job is waiting, until when, and when it starts as far as that is known."),
  Command.withShortDescription("Why is this job waiting, and until when?"),
  Command.withExamples([
    { command: "ezthrottle explain job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Everything that it waits for" }
  ]),
  Command.withGlobalFlags(Globals.service)
)
