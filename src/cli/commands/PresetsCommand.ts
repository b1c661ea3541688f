/** `ezthrottle presets`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Flags from "./Flags.ts"
import * as Presets from "./Presets.ts"
import { stoppable } from "./Running.ts"

const config = Flags.text("config", "FILE", "A dam's settings, with presets of its own").pipe(Flag.optional)

const list = Command.make("list", { config }, ({ config }) =>
  stoppable(Presets.list(Option.getOrUndefined(config)))
).pipe(
  Command.withDescription(
    "Lists the presets: whose answers are understood, at which hosts, and what their limits belong to."
  ),
  Command.withShortDescription("List the providers that are known"),
  Command.withExamples([
    { command: "ezthrottle presets list --config dam.yaml", description: "With those of your own" }
  ])
)

const show = Command.make(
  "show",
  {
    name: Argument.String("name").pipe(Argument.withDescription("The preset, as `presets` names it")),
    config
  },
  ({ config, name }) => stoppable(Presets.show(name, Option.getOrUndefined(config)))
).pipe(
  Command.withDescription(
    "Shows what a preset says, as a configuration file can hold it: the beginning of one of your own."
  ),
  Command.withShortDescription("Show one, as a configuration file can hold it"),
  Command.withExamples([{ command: "ezthrottle presets show github", description: "JSON, which is YAML too" }])
)

const read = Command.make(
  "read",
  {
    preset: Flags.text("preset", "NAME", "Whose answer it is").pipe(Flag.optional),
    host: Flags.text("host", "HOST", "Or who was called: a name, name:port, or a URL").pipe(Flag.optional),
    status: Flag.Int("status").pipe(
      Flag.filter(
        (status) => status >= 100 && status <= 599,
        () => "a status is a number from 100 to 599"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("The status of the answer")
    ),
    header: Flags.text("header", "'NAME: VALUE'", "A header of the answer; may be repeated").pipe(Flag.atLeast(0)),
    body: Flags.text("body", "FILE|-", "What the answer said, - for standard input").pipe(Flag.optional),
    now: Flag.String("now").pipe(
      Flag.filterMap(
        (text) => Option.map(DateTime.make(text), DateTime.toEpochMillis),
        (text) => `"${text}" is no date such as 2026-01-31T12:00:00Z`
      ),
      Flag.withMetavar("TIME"),
      Flag.withDescription("When it came (now)"),
      Flag.optional
    ),
    config
  },
  ({ body, config, header, host, now, preset, status }) =>
    stoppable(
      Presets.read({
        preset: Option.getOrUndefined(preset),
        host: Option.getOrUndefined(host),
        status,
        headers: header,
        body: Option.getOrUndefined(body),
        now: Option.getOrUndefined(now),
        config: Option.getOrUndefined(config)
      })
    )
).pipe(
  Command.withDescription(
    "Says what an answer is understood to say: whether it is a refusal, how long to wait, what is left, what the call has " +
      "cost, and what the limits belong to. Nothing is called."
  ),
  Command.withShortDescription("What is an answer understood to say?"),
  Command.withExamples([
    {
      command: "ezthrottle presets read --host api.github.com --status 403 --header 'retry-after: 60'",
      description: "Is this a limit?"
    }
  ])
)

export const command = Command.make("presets", {}, () => stoppable(Presets.list(undefined))).pipe(
  Command.withDescription("Shows what is known of providers, and what their answers are understood to say."),
  Command.withShortDescription("List providers that are known, and read their answers"),
  Command.withExamples([{ command: "ezthrottle presets", description: "All of them" }]),
  Command.withSubcommands([list, show, read])
)
