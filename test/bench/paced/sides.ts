/** Calls over Node's own `fetch`, all of them asked for at once, 64 in flight; each side keeps them waiting in its own way. */
import { createFetch } from "ezthrottle-effect/fetch"
import { type Side, offer, promises } from "../support/racer.ts"

const [url = "", peers = ""] = process.argv.slice(2)
const { Bottleneck, PQueue } = await import(peers)
const inFlight = 64

const call = async () => (await fetch(url)).arrayBuffer()

/** Every call is asked for at once. */
const all =
  (one: () => Promise<unknown>): Side =>
  (calls) =>
    Promise.all(Array.from({ length: calls }, one))

const queue = new PQueue({ concurrency: inFlight })
const limiter = new Bottleneck({ maxConcurrent: inFlight })
const paced = createFetch({ hosts: { [new URL(url).host]: { rps: 1_000_000, maxConcurrent: inFlight } } })

offer({
  "fetch alone": promises(inFlight, call),
  "p-queue": all(() => queue.add(call)),
  bottleneck: all(() => limiter.schedule(call)),
  "paced fetch": all(async () => (await paced(url)).arrayBuffer())
})
