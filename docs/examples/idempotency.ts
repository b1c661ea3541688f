/** A key names a call: by what it is (HASH, the default), by a fresh name per execution (UNIQUE), or by your own. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { damScene, holds } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default damScene(
  import.meta,
  "The same call is the same job, unless you say otherwise",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const invoice = Step.post(`${upstream.url}/orders/invoice`).pipe(Step.body("invoice 7"))

    const once = yield* EZThrottle.submit(invoice)
    const twice = yield* EZThrottle.submit(invoice)
    yield* holds("HASH: sent twice, it is the first job again", [twice.jobId, twice.duplicate], [once.jobId, true])

    const unique = Step.idempotentStrategy(invoice, "UNIQUE")
    const one = yield* EZThrottle.submit(unique)
    const other = yield* EZThrottle.submit(unique)
    yield* holds("UNIQUE: sent twice, it is two jobs", one.jobId !== other.jobId && !other.duplicate, true)

    const named = Step.idempotentKey(invoice, "invoice-7")
    const mine = yield* EZThrottle.submit(named)
    const again = yield* EZThrottle.submit(named)
    yield* holds("a key of your own: sent twice, it is one job", [again.jobId, again.key], [mine.jobId, "invoice-7"])

    const error = yield* Effect.flip(EZThrottle.submit(Step.body(named, "invoice 8")))
    yield* holds("another call under your key is refused", error.reason._tag, "JobRefused")

    for (const { jobId } of [once, one, other, mine]) yield* EZThrottle.awaitJob(jobId, { timeout: "5 seconds" })
    const told = upstream.calls("/orders/invoice").map(({ headers }) => String(headers["idempotency-key"]))
    const keys = [once.jobId, one.key, other.key, "invoice-7"]
    yield* holds("the target saw four calls and their keys, a job's id under HASH", told.toSorted(), keys.toSorted())
  })
)
