/** `ezthrottle failures`: the flags, and what becomes of them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Globals from "../output/Globals.ts"
import * as Failures from "./Failures.ts"
import * as Flags from "./Flags.ts"
import { talking } from "./Running.ts"

export const command = Command.make(
  "failures",
  {
    host: Flags.text("host", "HOST", "Only jobs for this host, with its port or for all its ports").pipe(Flag.optional),
    ...Flags.window("Only jobs that failed"),
    largest: Flag.Boolean("largest").pipe(
      Flag.withDescription("What failed most often first, instead of what failed last"),
      Flag.withDefault(false)
    ),
    limit: Flags.limit
  },
  ({ host, largest, limit, ...window }) =>
    talking(
      Effect.flatMap(Flags.settleWindow(window), ({ since, until }) =>
        Failures.list(
          { host: Option.getOrUndefined(host), from: since, to: until, sort: largest ? "largest" : "newest" },
          limit
        )
      )
    )
).pipe(
  Command.withDescription(
    "Shows what fails, where and why: failed jobs by host, status and reason, with how many they are, since when, and " +
      "the newest of each. A customer sees its own jobs, an operator everybody's."
  ),
  Command.withShortDescription("What fails, where and why: failed jobs in groups"),
  Command.withExamples([
    { command: "ezthrottle failures --since 2h --largest", description: "What failed most often in two hours" },
    { command: "ezthrottle failures --host api.example.com --json", description: "Of one host, for a program" }
  ]),
  Command.withGlobalFlags(Globals.service)
)
