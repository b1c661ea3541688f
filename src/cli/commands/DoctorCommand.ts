/** `ezthrottle doctor`: the flags, and what becomes of them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import { stoppable } from "./Running.ts"
import * as Service from "../service/Service.ts"
import * as Target from "../service/Target.ts"

// it needs the egress policy of the dam
const loadDoctor = Effect.promise(() => import("./Doctor.ts"))

export const command = Command.make(
  "doctor",
  {
    check: Flags.text("check", "URL", "A URL of a job or a webhook: would the dam call it? May be repeated").pipe(
      Flag.atLeast(0)
    ),
    db: Flags.text("db", "FILE", "The database of a dam on this machine (./ezthrottle.db)").pipe(
      Flag.withDefault("./ezthrottle.db")
    )
  },
  (options) =>
    stoppable(
      Effect.gen(function* () {
        const { run } = yield* loadDoctor
        // settings that are wrong are something to tell, not a reason to stop
        const target = yield* Effect.orElseSucceed(Target.settle, () => nowhere)
        yield* Effect.provideService(run(options), Service.Service, Service.make(target))
      })
    )
).pipe(
  Command.withDescription(
    "Looks for what keeps this command from working: settings, the service, the key, the clock, the disk, and URLs that " +
      "the dam would refuse. Says what to do about each, and ends with 1 when something is wrong."
  ),
  Command.withShortDescription("Find out what is wrong, and what to do"),
  Command.withExamples([
    { command: "ezthrottle doctor", description: "Look at everything" },
    { command: "ezthrottle doctor --check https://hooks.example.com/done", description: "Would this URL be called?" }
  ]),
  Command.withGlobalFlags(Globals.service)
)

const nowhere: Target.Target = {
  kind: "dam",
  url: Target.localUrl,
  proxyUrl: Target.localUrl,
  apiKey: undefined,
  from: { url: "nowhere", apiKey: "nowhere" }
}
