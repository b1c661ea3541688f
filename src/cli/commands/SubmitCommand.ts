/** `ezthrottle run` and `ezthrottle submit`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import { problem } from "../output/Problem.ts"
import { talking } from "./Running.ts"

const step = Argument.String("step").pipe(
  Argument.withMetavar("FILE|-"),
  Argument.withDescription("A step as JSON or YAML, - for standard input")
)

export const run = Command.make(
  "run",
  {
    step,
    type: Flag.Literals("type", ["FRUGAL", "PERFORMANCE"]).pipe(
      Flag.withDescription("Run it as this type, whatever the file says"),
      Flag.optional
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Wait for the result of a step that was handed over to a dam (on; --no-wait prints its id)"),
      Flag.withDefault(true)
    ),
    timeout: Flags.timeout("How long to wait for that at most")
  },
  ({ step, timeout, type, wait }) =>
    talking(Effect.flatMap(loadRun, ({ run }) => run({ file: step, type: Option.getOrUndefined(type), wait, timeout })))
).pipe(
  Command.withDescription(
    "Executes a step as the SDK does: a FRUGAL one from here, a PERFORMANCE one through the service, with its retries, " +
      "regions, fallbacks and chain. Every attempt is told on standard error; the answer's body is standard output."
  ),
  Command.withShortDescription("Execute a step file here, each attempt shown"),
  Command.withExamples([
    { command: "ezthrottle run order.yaml", description: "As the file says" },
    {
      command: `echo '{"url":"https://api.example.com"}' | ezthrottle run - --type FRUGAL`,
      description: "From here, without a service"
    }
  ]),
  Command.withGlobalFlags(Globals.service)
)

export const submit = Command.make(
  "submit",
  {
    step: Argument.optional(step),
    file: Flags.text("file", "FILE", "Hand over every line of this file: a job as JSON on each").pipe(Flag.optional),
    journal: Flags.text("journal", "FILE", "Where is kept which lines are handed over (FILE.journal)").pipe(
      Flag.optional
    ),
    failed: Flags.text("failed", "FILE", "Where refused lines are written, with why (FILE.failed)").pipe(Flag.optional),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.filter(
        (count) => count >= 1 && count <= 256,
        () => "a concurrency is a number from 1 to 256"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("How many are under way at once (16)"),
      Flag.withDefault(16)
    )
  },
  ({ concurrency, failed, file, journal, step }) =>
    talking(
      Effect.suspend(() => {
        if (Option.isSome(file) === Option.isSome(step)) {
          return Effect.fail(
            problem("usage", "give one step, or --file with many", { next: "see `ezthrottle submit --help`" })
          )
        }
        if (Option.isSome(step)) return Effect.flatMap(loadSubmitting, ({ one }) => one(step.value))
        const name = Option.getOrElse(file, () => "")
        return Effect.flatMap(loadBatch, ({ run }) =>
          run({
            file: name,
            journal: Option.getOrElse(journal, () => `${name}.journal`),
            failed: Option.getOrElse(failed, () => `${name}.failed`),
            concurrency
          })
        )
      })
    )
).pipe(
  Command.withDescription(
    "Hands one step over to the service and prints its id, or every line of a file. A batch that was interrupted goes " +
      "on when the same command is run again: what was handed over is not sent twice. Ends with 7 when lines were refused."
  ),
  Command.withShortDescription("Hand over one step, or thousands from a file"),
  Command.withExamples([
    { command: "ezthrottle submit order.json", description: "One; its id is printed" },
    {
      command: "ezthrottle submit --file jobs.ndjson",
      description: "All of a file; run it again to go on after Ctrl-C"
    }
  ]),
  Command.withGlobalFlags(Globals.service)
)

// the interpreter, the codecs and undici: no other command waits for them
const loadRun = Effect.promise(() => import("./Run.ts"))
const loadBatch = Effect.promise(() => import("./Batch.ts"))
const loadSubmitting = Effect.promise(() => import("./Submitting.ts"))
