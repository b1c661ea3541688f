/** `ezthrottle jobs`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { deliveryStates, states } from "../../engine/JobState.ts"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import * as Jobs from "./Jobs.ts"
import { talking } from "./Running.ts"

const id = Argument.String("job-id").pipe(Argument.withDescription("The id that `submit` printed"))
const ids = Argument.String("job-id").pipe(Argument.withDescription("One or more job ids"), Argument.atLeast(1))

const list = Command.make(
  "list",
  {
    status: Flag.Literals("status", states).pipe(
      Flag.withDescription("Only jobs in this state; may be repeated"),
      Flag.atLeast(0)
    ),
    webhooks: Flag.Literals("webhooks", deliveryStates).pipe(
      Flag.withDescription("Only jobs whose webhooks are in this state; may be repeated"),
      Flag.atLeast(0)
    ),
    host: Flags.text("host", "HOST", "Only jobs for this host: a name, name:port, or a URL").pipe(Flag.optional),
    account: Flags.text("account", "ACCOUNT", "Only jobs of this account").pipe(Flag.optional),
    metadata: Flags.text("metadata", "NAME=VALUE", "Only jobs with this metadata; may be repeated").pipe(
      Flag.atLeast(0)
    ),
    ...Flags.window("Only jobs created"),
    limit: Flags.limit
  },
  ({ account, host, limit, metadata, status, webhooks, ...window }) =>
    talking(
      Effect.flatMap(Flags.settleWindow(window), (window) =>
        Jobs.list(
          {
            status,
            webhooks,
            metadata,
            host: Option.getOrUndefined(host),
            account: Option.getOrUndefined(account),
            ...window
          },
          limit
        )
      )
    )
).pipe(
  Command.withDescription("Lists jobs, the newest first."),
  Command.withShortDescription("List jobs"),
  Command.withExamples([
    { command: "ezthrottle jobs list --status failed --since 2h", description: "What failed in the last two hours" },
    {
      command: "ezthrottle jobs list --host api.example.com --metadata order=7 --json",
      description: "For a program"
    }
  ])
)

const show = Command.make("show", { id }, (input) => talking(Jobs.show(input.id))).pipe(
  Command.withDescription("Shows one job: its state, every attempt, its webhooks and its answer."),
  Command.withShortDescription("Show one job with attempts, webhooks and answer"),
  Command.withExamples([
    { command: "ezthrottle jobs show job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "All there is to know about a job" }
  ])
)

const watch = Command.make("watch", { id }, (input) => talking(Jobs.watch(input.id))).pipe(
  Command.withDescription(
    "Follows a job while it waits and runs, to its end. Ends with 3 when the job failed or was cancelled."
  ),
  Command.withShortDescription("Follow a job to its end"),
  Command.withExamples([
    { command: "ezthrottle jobs watch job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Each change as it happens" }
  ])
)

const wait = Command.make("wait", { id, timeout: Flags.timeout("How long at most") }, (input) =>
  talking(Jobs.wait(input.id, input.timeout))
).pipe(
  Command.withDescription(
    "Waits for the end of a job and shows it. Ends with 3 when the job failed or was cancelled, with 8 when the time passed first."
  ),
  Command.withShortDescription("Wait for the end of a job"),
  Command.withExamples([
    {
      command: "ezthrottle jobs wait job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P --timeout 30s",
      description: "At most half a minute"
    }
  ])
)

const cancel = Command.make("cancel", { ids }, (input) => talking(Jobs.cancel(input.ids))).pipe(
  Command.withDescription("Cancels jobs that have not ended; a call under way is interrupted."),
  Command.withShortDescription("Cancel jobs"),
  Command.withExamples([
    { command: "ezthrottle jobs cancel job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Stop a job for good" }
  ])
)

const runNow = Command.make("run-now", { ids }, (input) => talking(Jobs.runNow(input.ids))).pipe(
  Command.withDescription(
    "Queues jobs that wait for a moment: scheduled ones, and those that pause between attempts. Their lane's pace and holds stay."
  ),
  Command.withShortDescription("Run scheduled and parked jobs now"),
  Command.withExamples([
    { command: "ezthrottle jobs run-now job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Not to wait for its time" }
  ])
)

const rerun = Command.make("rerun", { ids }, (input) => talking(Jobs.rerun(input.ids))).pipe(
  Command.withDescription("Makes a new job of each finished one: the same call under a new id."),
  Command.withShortDescription("Run finished jobs again, as new ones"),
  Command.withExamples([
    { command: "ezthrottle jobs rerun job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Once more, from the start" }
  ])
)

export const command = Command.make("jobs").pipe(
  Command.withDescription("Looks at jobs, waits for them, stops and repeats them."),
  Command.withShortDescription("List, show, watch, wait for, cancel, hasten and rerun jobs"),
  Command.withExamples([{ command: "ezthrottle jobs list --status queued", description: "What waits" }]),
  Command.withSubcommands([list, show, watch, wait, cancel, runNow, rerun]),
  Command.withGlobalFlags(Globals.service)
)
