/** `ezthrottle batches`: the arguments, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Globals from "../output/Globals.ts"
import * as Batches from "./Batches.ts"
import * as Flags from "./Flags.ts"
import { talking } from "./Running.ts"

const id = Argument.String("batch-id").pipe(Argument.withDescription("The batch"))

const submit = Command.make(
  "submit",
  {
    file: Argument.String("file").pipe(
      Argument.withMetavar("FILE"),
      Argument.withDescription("A job as JSON on each line, or a CSV file with --template")
    ),
    id: Flags.text("id", "BATCH-ID", "Names the batch (made of the file's name and where it is)").pipe(Flag.optional),
    template: Flags.text(
      "template",
      "STEP-FILE",
      "Reads the file as CSV, and makes each row a job by this step, whose fills take from /metadata/COLUMN"
    ).pipe(Flag.optional),
    together: Flag.Boolean("together").pipe(
      Flag.withDescription("All of the jobs, or none: nothing is called before the last line is there"),
      Flag.withDefault(false)
    ),
    webhook: Flags.text("webhook", "URL", "Told once all have ended, with a summary").pipe(Flag.optional),
    onComplete: Flags.text("on-complete", "STEP-FILE", "Becomes a job once all have ended").pipe(Flag.optional),
    onAnyFailure: Flags.text("on-any-failure", "STEP-FILE", "Becomes a job at the first that failed").pipe(
      Flag.optional
    )
  },
  ({ file, id, onAnyFailure, onComplete, template, together, webhook }) =>
    talking(
      Effect.flatMap(load, ({ run }) =>
        run({
          file,
          together,
          id: Option.getOrUndefined(id),
          template: Option.getOrUndefined(template),
          webhook: Option.getOrUndefined(webhook),
          onComplete: Option.getOrUndefined(onComplete),
          onAnyFailure: Option.getOrUndefined(onAnyFailure)
        })
      )
    )
).pipe(
  Command.withDescription(
    "Hands over every line of a file as one batch, in memory that does not grow with it. Interrupted, it goes on when the same " +
      "command is run again: the dam knows which lines it has. Ends with 7 when lines were refused; the batch stays open for them."
  ),
  Command.withShortDescription("Hand over a file of jobs as one batch"),
  Command.withExamples([
    {
      command: "ezthrottle batches submit jobs.ndjson",
      description: "A job on each line; again to go on after Ctrl-C"
    },
    {
      command: "ezthrottle batches submit contacts.csv --template contact.json --on-complete report.json",
      description: "A row for each job, and one at the end"
    }
  ])
)

// the codecs: no other command waits for them
const load = Effect.promise(() => import("./BatchFile.ts"))

const list = Command.make("list", { limit: Flags.limit }, (input) => talking(Batches.list(input.limit))).pipe(
  Command.withDescription("Lists the batches of the caller, the newest first."),
  Command.withShortDescription("List batches"),
  Command.withExamples([{ command: "ezthrottle batches list", description: "The newest" }])
)

const wait = Command.make("wait", { id, timeout: Flags.timeout("How long at most") }, (input) =>
  talking(Batches.wait(input.id, input.timeout))
).pipe(
  Command.withDescription(
    "Waits until all jobs of a batch have ended. Ends with 3 when some failed, with 8 when the time passed first."
  ),
  Command.withShortDescription("Wait for the end of a batch"),
  Command.withExamples([{ command: "ezthrottle batches wait may --timeout 1h", description: "At most an hour" }])
)

interface About {
  readonly does: (id: string) => ReturnType<typeof Batches.show>
  readonly long: string
  readonly short: string
  readonly example: string
}

/** A verb about one batch. */
const about = (verb: string, { does, example, long, short }: About) =>
  Command.make(verb, { id }, (input) => talking(does(input.id))).pipe(
    Command.withDescription(long),
    Command.withShortDescription(short),
    Command.withExamples([{ command: `ezthrottle batches ${verb} may`, description: example }])
  )

const show = about("show", {
  does: Batches.show,
  long: "Shows a batch: how far it is, where its jobs are, and which lines were refused.",
  short: "Show a batch and where its jobs are",
  example: "One of them"
})

const close = about("close", {
  does: Batches.close,
  long: "Says that no line is to come: the batch ends with the last of its jobs.",
  short: "Take no more lines",
  example: "Without what was refused"
})

const cancel = about("cancel", {
  does: Batches.cancel,
  long: "Calls off what has not ended of a batch; it takes no more lines.",
  short: "Call off what has not ended",
  example: "For good"
})

const rerun = about("rerun", {
  does: Batches.rerun,
  long: "Runs the jobs of a batch again that failed, as a batch of their own.",
  short: "Run again what failed",
  example: "As may.rerun1"
})

export const command = Command.make("batches").pipe(
  Command.withDescription("Batches of a dam: jobs handed over by the thousand, and looked after as one."),
  Command.withShortDescription("Submit, list, show, wait for, close, cancel and rerun batches"),
  Command.withExamples([{ command: "ezthrottle batches submit jobs.ndjson", description: "A job on each line" }]),
  Command.withSubcommands([submit, list, show, wait, close, cancel, rerun]),
  Command.withGlobalFlags(Globals.service)
)
