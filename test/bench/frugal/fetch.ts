/** The sides over Node's own `fetch`; nothing here may import undici. */
import { Client } from "ezthrottle-effect"
import { EZThrottle, Step, StepType } from "ezthrottle-effect/promise"
import { offer, promises } from "../support/racer.ts"
import { inFlight, steps } from "./steps.ts"

const [url = ""] = process.argv.slice(2)
const client = new EZThrottle({ apiKey: "unused" })

offer({
  fetch: promises(inFlight, async () => (await fetch(url)).arrayBuffer()),
  "step over fetch": steps(Client.layer(), url),
  "facade over fetch": promises(inFlight, () => new Step(client).url(url).type(StepType.FRUGAL).execute())
})
