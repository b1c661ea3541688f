/** The sides over undici. */
import { NodeClient } from "ezthrottle-effect/node"
import { Agent, request } from "undici"
import { offer, promises } from "../support/racer.ts"
import { inFlight, steps } from "./steps.ts"

const [url = ""] = process.argv.slice(2)
const dispatcher = new Agent({ connections: inFlight })

offer({
  "undici.request": promises(inFlight, async () => (await request(url, { dispatcher })).body.arrayBuffer()),
  "step over undici": steps(NodeClient.layer(), url)
})
