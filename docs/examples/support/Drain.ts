/** Looks on while the queue of a lane drains. */
import * as Effect from "effect/Effect"
import * as Printer from "./Printer.ts"
import { type Stage, tell } from "./Scene.ts"
import { World } from "./World.ts"

const width = 24
const rowEvery = 5

/** Shows ten times a second how many jobs wait and how fast they leave, and leaves a row every half second. */
export const drain = (host: string, jobs: number): Effect.Effect<never, unknown, Stage | World> =>
  Effect.gen(function* () {
    const { dam } = yield* World
    const depths: Array<{ readonly at: number; readonly depth: number }> = []
    for (let look = 0; ; look++) {
      const depth = (yield* dam.store.stats).jobs.queued
      const lane = (yield* dam.engine.lanes).find((one) => one.lane === host)
      const at = performance.now()
      depths.push({ at, depth })
      const bar = "█".repeat(Math.ceil((depth / jobs) * width)).padEnd(width, "░")
      const before = depths[Math.max(0, depths.length - 1 - 10)]
      const rate = before === undefined || before.at === at ? 0 : ((before.depth - depth) * 1000) / (at - before.at)
      const waiting = `${depth} waiting`
      const leaving = `${rate.toFixed(1)} a second`
      if (look % rowEvery === rowEvery - 1) {
        yield* tell({ kind: "queue", what: bar, place: waiting, result: leaving, note: `of ${lane?.pace.rps} allowed` })
      }
      Printer.waiting(`${bar}  ${waiting}, leaving at ${leaving}`)
      yield* Effect.sleep("100 millis")
    }
  })
