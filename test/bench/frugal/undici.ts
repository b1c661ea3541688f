/** The sides over undici, each with as many connections as there are calls: whoever may open more has more to look after. */
import { NodeClient, UndiciTransport } from "ezthrottle-effect/node"
import { EZThrottle, Step, StepType } from "ezthrottle-effect/promise"
import { Agent, request } from "undici"
import { offer, promises } from "../support/racer.ts"
import { inFlight, steps } from "./steps.ts"

const [url = ""] = process.argv.slice(2)
const client = new EZThrottle({ apiKey: "unused", transport: UndiciTransport.make({ connectionsPerOrigin: inFlight }) })
const dispatcher = new Agent({ connections: inFlight })

offer({
  "undici.request": promises(inFlight, async () => (await request(url, { dispatcher })).body.arrayBuffer()),
  "step over undici": steps(NodeClient.layer({ connectionsPerOrigin: inFlight }), url),
  "facade over undici": promises(inFlight, () => new Step(client).url(url).type(StepType.FRUGAL).execute())
})
