import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LaneNames from "../../../src/dam/lane/LaneNames.ts"
import * as Filing from "../../../src/dam/store/Filing.ts"
import type { NewJob } from "../../../src/dam/job/Job.ts"
import type { Enqueued } from "../../../src/dam/store/JobRecords.ts"
import { StorageFailed, type StoreError } from "../../../src/dam/store/StoreError.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Submitting from "../../../src/dam/work/Submitting.ts"
import { job } from "../../conformance/jobStore/Fixtures.ts"
import { straight } from "../../conformance/jobStore/Straightly.ts"

const url = "https://a.example/"

type Begin = Filing.Begin<[], Enqueued, StoreError>

/** What is said of jobs, and how many are on their way, where the store files like this. */
const over = Effect.fnUntraced(function* (begin: Begin, isOpen = true) {
  const noted: Array<string> = []
  const counts = { entered: 0, left: 0, through: 0 }
  const submit = Submitting.make({
    store: {
      enqueue: Filing.begunBy(
        (one) =>
          Effect.as(
            Effect.sync(() => noted.push(`filed ${one.id}`)),
            stored
          ),
        begin
      ),
      enqueueBelow: () => Effect.succeed(stored)
    },
    admission: {
      enter: () => {
        if (isOpen) counts.entered++
        return isOpen
      },
      left: () => void counts.left++,
      through: (file) => Effect.suspend(() => (counts.through++, file))
    },
    names: { ...LaneNames.byHost, laneOf: () => "lane" },
    ends: {
      lanes: { wake: (lane: string) => Effect.sync(() => void noted.push(`wakes ${lane}`)) },
      lookAround: () => void noted.push("looks around"),
      told: ({ id }) => (id === "broken" ? Effect.die("broken") : Effect.sync(() => void noted.push(`told ${id}`)))
    },
    joining: {
      store: {
        debounced: () => Effect.undefined,
        enqueueOver: ({ id }) =>
          Effect.as(
            Effect.sync(() => noted.push(`put ${id}`)),
            scheduled
          ),
        following: () => Effect.succeed([]),
        finishIdle: () => Effect.succeed(false),
        get: () => Effect.undefined
      },
      laneOf: () => "lane",
      finished: () => Effect.void
    },
    context: yield* Effect.context<never>()
  })
  const begun = Filing.of(submit)
  if (begun === undefined) return yield* Effect.die("submitting needs a fiber")
  return { submit: straight(submit), begun, noted, counts }
})

const stored: Filing.Stored = { _tag: "Stored", state: "queued" }
const scheduled: Filing.Stored = { _tag: "Stored", state: "scheduled" }

const all = (submit: (one: NewJob) => Effect.Effect<Enqueued, unknown>, ...ids: ReadonlyArray<string>) =>
  Effect.forEach(ids, (id) => Effect.exit(submit(job(id))), { concurrency: "unbounded" })

describe("submitting without a fiber", () => {
  it.effect("tells and wakes for whatever is stored, and looks around for what must wait", () =>
    Effect.gen(function* () {
      const { counts, noted, submit } = yield* over((done, { id }) => done(id === "later" ? scheduled : stored))
      const exits = yield* all(submit, "one", "later")
      assert.deepStrictEqual(exits, [Exit.succeed(stored), Exit.succeed(scheduled)])
      assert.deepStrictEqual(noted, ["told one", "wakes lane", "told later", "looks around"])
      assert.deepStrictEqual(counts, { entered: 2, left: 2, through: 0 })
    })
  )

  it.effect("goes the way of every job where admission has to ask first", () =>
    Effect.gen(function* () {
      const { counts, noted, submit } = yield* over(() => assert.fail("was begun"), false)
      assert.deepStrictEqual(yield* all(submit, "one"), [Exit.succeed(stored)])
      assert.deepStrictEqual(noted, ["filed one", "told one", "wakes lane"])
      assert.deepStrictEqual(counts, { entered: 0, left: 0, through: 1 })
    })
  )

  it.effect("goes the way of every job where it is refused earlier, or takes the place of another one", () =>
    Effect.gen(function* () {
      const { counts, noted, submit } = yield* over(() => assert.fail("was begun"))
      yield* submit(job("low", { step: Step.get(url).pipe(Step.priority("low")) }))
      yield* submit(job("newest", { step: Step.get(url).pipe(Step.debounce("k", { wait: 5 })) }))
      assert.deepStrictEqual(noted, [
        "filed low",
        "told low",
        "wakes lane",
        "put newest",
        "told newest",
        "looks around"
      ])
      assert.deepStrictEqual(counts, { entered: 0, left: 0, through: 2 })
    })
  )

  it.effect("tells nobody of a job that was not stored, and says why", () =>
    Effect.gen(function* () {
      const failed = new StorageFailed({ detail: "the disk" })
      const { counts, noted, submit } = yield* over((done) => done(Effect.fail(failed)))
      assert.deepStrictEqual(yield* all(submit, "one"), [Exit.fail(failed)])
      assert.deepStrictEqual(noted, [])
      assert.deepStrictEqual(counts, { entered: 1, left: 1, through: 0 })
    })
  )

  it.effect("lets one that breaks fail alone, before it is filed and after", () =>
    Effect.gen(function* () {
      const { counts, noted, submit } = yield* over((done, { id }) => {
        if (id === "unwritten") throw new Error("unwritten")
        done(stored)
      })
      const exits = yield* all(submit, "one", "broken", "unwritten", "two")
      const [first, second, third, last] = exits
      assert.deepStrictEqual([first, last], [Exit.succeed(stored), Exit.succeed(stored)])
      for (const exit of [second, third])
        assert.isTrue(exit !== undefined && Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.deepStrictEqual(noted, ["told one", "wakes lane", "told two", "wakes lane"])
      assert.deepStrictEqual(counts, { entered: 4, left: 4, through: 0 })
    })
  )

  it.effect("tells of the others of a commit, where whoever is told of one breaks", () =>
    Effect.gen(function* () {
      const { begun, noted } = yield* over((done) => done(stored))
      const done: Array<unknown> = []
      begun(() => {
        throw new Error("the connection")
      }, job("one"))
      begun((filed) => done.push(filed), job("two"))
      yield* Effect.yieldNow
      assert.deepStrictEqual(done, [stored])
      assert.deepStrictEqual(noted, ["told one", "wakes lane", "told two", "wakes lane"])
    })
  )
})
