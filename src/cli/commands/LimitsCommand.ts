/** `ezthrottle limits`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Globals from "../output/Globals.ts"
import * as Moments from "../output/Moments.ts"
import * as Flags from "./Flags.ts"
import * as Limits from "./Limits.ts"
import { talking } from "./Running.ts"

const name = Argument.String("name").pipe(Argument.withDescription("The limit, as jobs name it"))

const list = Command.make("list", {}, () => talking(Limits.list)).pipe(
  Command.withDescription("Lists the limits that calls draw on together, and how many calls are open and wait."),
  Command.withShortDescription("List limits with what is open and waits"),
  Command.withExamples([{ command: "ezthrottle limits list", description: "All of them" }])
)

const show = Command.make("show", { name }, (input) => talking(Limits.show(input.name))).pipe(
  Command.withDescription("Shows a limit: what it allows, who defined it, and what is left of it for each key in use."),
  Command.withShortDescription("Show a limit, and what is left of it"),
  Command.withExamples([{ command: "ezthrottle limits show openai-tokens", description: "One of them" }])
)

const amount = (name: string, description: string) =>
  Flag.Finite(name).pipe(
    Flag.filter(
      (amount) => amount > 0,
      () => "a number above 0"
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.optional
  )

const set = Command.make(
  "set",
  {
    name,
    rate: amount("rate", "Units in the time that --per says"),
    per: Moments.span("per", "How long the rate takes to bring them in (1s)").pipe(Flag.optional),
    burst: amount(
      "burst",
      "Units that may be taken at once after a rest, and the most that a call may cost (as --rate)"
    ),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.filter(
        (count) => count > 0,
        () => "at least one call has to be possible"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("Calls open at once"),
      Flag.optional
    ),
    settleJson: Flags.text(
      "settle-json",
      "PATH",
      "Where the JSON of an answer tells what its call has cost, such as usage.total_tokens"
    ).pipe(Flag.optional),
    settleHeader: Flags.text("settle-header", "NAME", "The header of an answer that tells what its call has cost").pipe(
      Flag.optional
    ),
    weights: Flag.KeyValuePair("weight").pipe(
      Flag.withMetavar("CUSTOMER=N"),
      Flag.withDescription("How much of it a customer gets beside the others, who get 1; may be repeated"),
      Flag.withDefault({})
    )
  },
  ({ name, weights, ...given }) =>
    talking(
      Limits.set(name, {
        rate: Option.getOrUndefined(given.rate),
        per: Option.getOrUndefined(given.per),
        burst: Option.getOrUndefined(given.burst),
        concurrency: Option.getOrUndefined(given.concurrency),
        settleJson: Option.getOrUndefined(given.settleJson),
        settleHeader: Option.getOrUndefined(given.settleHeader),
        weights
      })
    )
).pipe(
  Command.withDescription(
    "Defines a limit, or changes all of it, over the configuration and over restarts. It holds at once, for what waits already too."
  ),
  Command.withShortDescription("Define a limit, or change it"),
  Command.withExamples([
    {
      command: "ezthrottle limits set openai-tokens --rate 90000 --per 1m --settle-json usage.total_tokens",
      description: "Tokens in a minute, as the answers count them"
    },
    { command: "ezthrottle limits set browsers --concurrency 4 --weight acme=3", description: "Four calls at once" }
  ])
)

const remove = Command.make("delete", { name }, (input) => talking(Limits.remove(input.name))).pipe(
  Command.withDescription(
    "Takes a definition back; one in the configuration of the dam holds again. A limit that jobs draw on stays."
  ),
  Command.withShortDescription("Take a definition back"),
  Command.withExamples([{ command: "ezthrottle limits delete browsers", description: "Unless a job draws on it" }])
)

export const command = Command.make("limits").pipe(
  Command.withDescription("Limits that calls draw on together, beside the pace of their hosts."),
  Command.withShortDescription("List, show, set and delete the limits that calls draw on"),
  Command.withExamples([{ command: "ezthrottle limits list", description: "All of them" }]),
  Command.withSubcommands([list, show, set, remove]),
  Command.withGlobalFlags(Globals.service)
)
