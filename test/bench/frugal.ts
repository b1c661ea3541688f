/**
 * What a FRUGAL step that succeeds costs, beside bare `fetch` and bare `undici.request`, in one run against one server:
 * 32 calls in flight, microseconds per call, the median of the rounds, each side's body read. Budgets: a step over
 * undici at most 0.75 of `fetch` and 1.75 of `undici.request`; the facade over `fetch` at most 1.25 of `fetch`.
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Client, EZThrottle, Step } from "ezthrottle-effect"
import { NodeClient } from "ezthrottle-effect/node"
import { EZThrottle as Facade, Step as FacadeStep, StepType } from "ezthrottle-effect/promise"
import { Agent, request } from "undici"
import { startServer } from "./support/server.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const calls = quick ? 320 : 16_000
const rounds = quick ? 1 : 7
const inFlight = 32

const server = await startServer()
const agent = new Agent({ connections: inFlight })
const facade = new Facade({ apiKey: "unused" })
const node = ManagedRuntime.make(NodeClient.layer())
const fetching = ManagedRuntime.make(Client.layer())
const step = Step.get(server.url).pipe(Step.frugal())

/** Plain promises: `inFlight` loops that call one after the other. */
const promises = (call: () => Promise<unknown>) => () =>
  Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let done = 0; done < calls / inFlight; done++) await call()
    })
  )

/** The same within Effect: one program, `inFlight` fibers. */
const fibers = (runtime: ManagedRuntime.ManagedRuntime<EZThrottle.EZThrottle, unknown>) => () =>
  runtime.runPromise(
    Effect.forEach(
      Array.from({ length: inFlight }),
      () =>
        Effect.gen(function* () {
          for (let done = 0; done < calls / inFlight; done++) yield* EZThrottle.execute(step)
        }),
      { concurrency: "unbounded", discard: true }
    )
  )

const sides: Record<string, () => Promise<unknown>> = {
  fetch: promises(async () => (await fetch(server.url)).arrayBuffer()),
  "undici.request": promises(async () => (await request(server.url, { dispatcher: agent })).body.arrayBuffer()),
  "step over undici": fibers(node),
  "step over fetch": fibers(fetching),
  "facade over fetch": promises(() => new FacadeStep(facade).url(server.url).type(StepType.FRUGAL).execute())
}

const times = new Map<string, Array<number>>()
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(sides)) {
    const from = process.hrtime.bigint()
    await run()
    const each = Number(process.hrtime.bigint() - from) / 1000 / calls
    if (round >= 0) times.set(name, [...(times.get(name) ?? []), each]) // the first round warms up
  }
}

const median = (name: string): number => {
  const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
for (const name of Object.keys(sides)) {
  const each = median(name)
  console.log(
    `${name.padEnd(18)} ${each.toFixed(1).padStart(7)} us/call   ` +
      `${(each / median("fetch")).toFixed(2)} x fetch   ${(each / median("undici.request")).toFixed(2)} x undici.request`
  )
}

await Promise.all([facade[Symbol.asyncDispose](), node.dispose(), fetching.dispose(), agent.close()])
await server.stop()
