import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as RegionalTransport from "../../../src/transport/RegionalTransport.ts"
import { busy, lines, ok, setUp, toEnd, url } from "../support.ts"

const get = Step.get(url)

/** A dam with two proxies and a name for where it stands itself. */
const dam = Effect.fnUntraced(function* (
  scripts: { readonly here?: Script.Input; readonly east?: Script.Input; readonly west?: Script.Input } = {}
) {
  const of = (input: Script.Input = ok) => Script.make(Script.always(input))
  const here = yield* of(scripts.here)
  const east = yield* of(scripts.east)
  const west = yield* of(scripts.west)
  const places = { iad: east, bos: east, lax: west, home: here }
  const made = yield* setUp({ transport: yield* RegionalTransport.make(places, { default: here }) })
  const countOf = ({ exchanges }: typeof here) => Effect.map(exchanges, (calls) => calls.length)
  return {
    ...made,
    /** Calls that left from here, the east and the west. */
    left: Effect.all([countOf(here), countOf(east), countOf(west)])
  }
})

describe("a job in a dam with regions", () => {
  it.effect("leaves from here when it names none", () =>
    Effect.gen(function* () {
      const { left, runToEnd } = yield* dam()
      const job = yield* runToEnd(get)
      assert.deepStrictEqual(lines(job), ["0 start 200"])
      assert.isUndefined(job.result?.region)
      assert.deepStrictEqual(yield* left, [1, 0, 0])
    })
  )

  it.effect("leaves from here when it names one that nobody configured", () =>
    Effect.gen(function* () {
      const { left, runToEnd } = yield* dam()
      const job = yield* runToEnd(get.pipe(Step.regions(["fra"])))
      assert.deepStrictEqual(lines(job), ["0 start@fra 200"])
      assert.deepStrictEqual(yield* left, [1, 0, 0])
    })
  )

  it.effect("leaves from where it says", () =>
    Effect.gen(function* () {
      const { left, runToEnd } = yield* dam()
      assert.deepStrictEqual(lines(yield* runToEnd(get.pipe(Step.regions(["lax"])))), ["0 start@lax 200"])
      assert.deepStrictEqual(yield* left, [0, 0, 1])
    })
  )

  it.effect("goes on from other places than here, each once, and not back through a name of here", () =>
    Effect.gen(function* () {
      const { left, runToEnd } = yield* dam({ here: { status: 502 }, east: Script.refuse, west: { status: 500 } })
      const policy = Step.retryPolicy({ maxRetries: 0, maxReroutes: 5 })
      const job = yield* runToEnd(get.pipe(policy))
      assert.deepStrictEqual(lines(job), ["0 start 502", "0 reroute@iad ConnectionFailed", "0 reroute@lax 500"])
      assert.deepStrictEqual(yield* left, [1, 1, 1])
    })
  )

  it.effect("stays in its list when it is strict", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* dam({ east: Script.refuse })
      const step = get.pipe(
        Step.regions(["iad", "bos"]),
        Step.regionPolicy("strict"),
        Step.retryPolicy({ maxRetries: 1 })
      )
      assert.deepStrictEqual(lines(yield* runToEnd(step)), [
        "0 start@iad ConnectionFailed",
        "0 retry@iad ConnectionFailed"
      ])
    })
  )

  it.effect("races places, not names: what leaves the same way is one start", () =>
    Effect.gen(function* () {
      const { left, runToEnd } = yield* dam({ here: Script.hang, east: Script.hang })
      const job = yield* runToEnd(get.pipe(Step.regions(["iad", "bos", "home", "fra", "ord", "lax"])))
      assert.sameMembers([...lines(job)], ["0 start@iad interrupted", "0 start@home interrupted", "0 start@lax 200"])
      assert.deepStrictEqual(yield* left, [1, 1, 1])
      assert.strictEqual(job.result?.region, "lax")
    })
  )

  it.effect("fans out to places, not to names", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* dam()
      const fanout = get.pipe(Step.regions(["bos", "iad", "fra", "home"]), Step.executionMode("fanout"))
      const job = yield* runToEnd(fanout)
      assert.deepStrictEqual(
        job.result?.responses.map(({ region }) => region),
        ["bos", "home"]
      )
    })
  )

  it.effect("comes back to its own place after a pause in the store", () =>
    Effect.gen(function* () {
      const east = Script.inTurn({ status: 503, headers: { "Retry-After": "20" } }, ok)
      const { left, runToEnd } = yield* dam({ east })
      const job = yield* runToEnd(get.pipe(Step.regions(["iad"])))
      assert.deepStrictEqual(lines(job), ["0 start@iad 503", "0 retry@iad 200"])
      assert.deepStrictEqual([job.epoch, yield* left], [2, [0, 2, 0]])
    })
  )

  it.effect("gives a place that does not answer a rest, when others are left to go to", () =>
    Effect.gen(function* () {
      const made = yield* dam({ here: busy, east: Script.refuse })
      const policy = Step.retryPolicy({ maxRetries: 0, maxReroutes: 1, rerouteCodes: [503] })
      const run = (step: Step.Step) =>
        Effect.flatMap(made.submit(step), (id) => Effect.map(toEnd(made.get(id), "1 second"), lines))
      assert.deepStrictEqual(yield* run(get.pipe(policy)), ["0 start 503", "0 reroute@iad ConnectionFailed"])
      assert.deepStrictEqual(yield* run(Step.get(`${url}next`).pipe(policy)), ["0 start 503", "0 reroute@lax 200"])
    })
  )
})
