/**
 * What limits cost: jobs of one lane at 5,000 a second in virtual time that draw on nothing, on one limit and on three
 * with weights, in one run and in turns; processor time for each job, and whether the limits held.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { accountOf, queueOf } from "../../src/dam/job/LaneName.ts"
import { beside } from "../dam/lane/Beside.ts"
import * as Lane from "../../src/dam/lane/Lane.ts"
import * as LimitBook from "../../src/dam/lane/LimitBook.ts"
import * as Places from "../../src/dam/lane/Places.ts"
import type { Ticket } from "../../src/dam/store/JobRecords.ts"
import type { Draw } from "../../src/step/StepModel.ts"
import { fixed } from "../dam/support.ts"
import { define } from "../dam/lane/LimitSchedule.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const seconds = quick ? 1 : 10
const rounds = quick ? 1 : 5
const rps = 5000

const customers = ["a", "b", "c"].map((name) => accountOf(name, {}))

const names = ["calls", "tokens", "points"]

/** Microseconds of processor time for one job, and how many there were. */
const cost = (limits: number) =>
  Effect.gen(function* () {
    const draws = names.slice(0, limits).map((name): Draw => ({ name, key: "", cost: 3 }))
    const book = LimitBook.make()
    // none of them is what decides, so that all lanes let as many through
    for (const name of names) define(book, name, { rate: 3 * rps, burst: 300, weights: { a: 3, b: 2 } }, 0)
    const queues = new Map(customers.map((account) => [queueOf({ account, isolated: false }, draws), 0]))
    let jobs = 0
    const lane = Lane.make({
      fork: yield* beside,
      burst: 10,
      settingOf: () => fixed({ rps, maxConcurrent: 10_000 }),
      limits: book,
      queues: Effect.sync(() => Array.from(queues.keys())),
      page: (queue, limit) =>
        Effect.sync(() => {
          const from = queues.get(queue) ?? 0
          queues.set(queue, from + limit)
          return Array.from({ length: limit }, (_, n): Ticket => ({ id: `${queue}-${from + n}`, queue, seq: n, draws }))
        }),
      start: (_, permit, giveBack) => {
        jobs++
        return Effect.andThen(permit.depart(), Effect.andThen(permit.release, giveBack))
      },
      room: Places.make(() => 10_000).of
    })
    lane.wake(undefined)
    const began = process.cpuUsage()
    for (let millis = 0; millis < 1000 * seconds; millis++) yield* TestClock.adjust(1)
    const { system, user } = process.cpuUsage(began)
    const now = Number(yield* Clock.monotonicTimeNanos) / 1e6
    const isKept = jobs * 3 <= 3 * rps * (now / 1000) + 300
    return { micros: (user + system) / jobs, jobs, isKept }
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise)

const middle = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

const counts = [0, 1, 3]
const found = new Map<number, Array<number>>(counts.map((limits) => [limits, []]))
for (let round = 0; round <= rounds; round++) {
  for (const limits of counts) {
    const { isKept, jobs, micros } = await cost(limits)
    if (!isKept) throw new Error(`${jobs} jobs in ${seconds} s are more than the limits allow`)
    if (jobs < 0.9 * rps * seconds) throw new Error(`${jobs} jobs in ${seconds} s: something else holds them back`)
    // the first round warms up
    if (round > 0 || quick) found.get(limits)?.push(micros)
  }
}

const none = middle(found.get(0) ?? [])
for (const limits of counts) {
  const micros = middle(found.get(limits) ?? [])
  const told = limits === 0 ? "no limit" : limits === 1 ? "one limit" : `${limits} limits`
  console.log(`${told.padEnd(12)}${micros.toFixed(2)} µs a job, x ${(micros / none).toFixed(2)}`)
}
