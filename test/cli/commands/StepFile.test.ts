import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as StepFile from "../../../src/cli/commands/StepFile.ts"
import * as StepJson from "../../../src/step/StepJson.ts"
import * as Step from "../../../src/step/Step.ts"

const written = Effect.fnUntraced(function* (name: string, text: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* files.makeTempDirectoryScoped({ prefix: "step-" }), name)
  yield* files.writeFileString(file, text)
  return file
})

const read = (name: string, text: string) =>
  Effect.gen(function* () {
    const file = yield* Effect.orDie(written(name, text))
    return yield* Effect.mapError(StepFile.read(file), ({ exit, problem }) => {
      assert.strictEqual(exit, 2)
      return problem.replace(file, name)
    })
  }).pipe(Effect.provide(NodeServices.layer), Effect.scoped)

const own = `{"url":"https://a.example/","type":"FRUGAL","retryPolicy":{"maxRetries":2},"onSuccess":{"url":"https://b.example/"}}`
const wire = `{"url":"https://a.example/","retry_policy":{"max_retries":2},"on_success":{"url":"https://b.example/"}}`

const chained = Step.get("https://a.example/").pipe(
  Step.retryPolicy({ maxRetries: 2 }),
  Step.onSuccess(Step.get("https://b.example/"))
)

describe("a step file", () => {
  it.effect("may be spelt as a step or as the wire spells a job, in JSON or YAML", () =>
    Effect.gen(function* () {
      const frugal = Step.toJson(Step.frugal(chained))
      assert.deepStrictEqual(Step.toJson(yield* read("own.json", own)), frugal)
      assert.deepStrictEqual(Step.toJson(yield* read("wire.json", wire)), Step.toJson(chained))
      const yaml = `
# an order
url: https://a.example/
type: FRUGAL
retryPolicy: { maxRetries: 2 }
onSuccess:
  url: https://b.example/
`
      assert.deepStrictEqual(Step.toJson(yield* read("own.yaml", yaml)), frugal)
      assert.deepStrictEqual(Step.toJson(yield* read("order", yaml)), frugal)
      assert.deepStrictEqual(Step.toJson(yield* read("order", own)), frugal)
    })
  )

  it.effect("is what a step prints of itself", () =>
    Effect.gen(function* () {
      const step = yield* read("step.json", JSON.stringify(Step.toJson(Step.frugal(chained))))
      assert.deepStrictEqual(Step.toJson(step), Step.toJson(yield* StepJson.decode(JSON.parse(own))))
    })
  )

  it.effect("leaves the names of metadata and headers to their owner", () =>
    Effect.gen(function* () {
      const text = `{"url":"https://a.example/","type":"FRUGAL","metadata":{"order_id":1},"headers":{"x_y":"z"}}`
      assert.deepStrictEqual((yield* read("step.json", text)).metadata, { order_id: 1 })
    })
  )

  it.effect("is refused with the path of what is wrong", () =>
    Effect.gen(function* () {
      const refusal = (name: string, text: string) => Effect.flip(read(name, text))
      assert.match(yield* refusal("a.json", `{"url":"nowhere"}`), /^a\.json: url: Expected an absolute http/)
      assert.match(
        yield* refusal(
          "a.json",
          `{"url":"https://a.example","on_success":{"url":"https://b.example","retry_policy":{"max_retries":-1}}}`
        ),
        /^a\.json: on_success\.retry_policy\.max_retries: Expected/
      )
      assert.match(
        yield* refusal(
          "a.yaml",
          "url: https://a.example\nfallbacks:\n  - step: { url: https://b.example, methd: GET }\n"
        ),
        /^a\.yaml: fallbacks\[0\]\.step\.methd: a step has no such field/
      )
      assert.match(
        yield* refusal("a.json", `{"url":"https://a.example","retry_at":1,"type":"FRUGAL"}`),
        /^a\.json: type: /
      )
      assert.match(yield* refusal("a.json", `[]`), /^a\.json: holds a list, and a step is one object$/)
      assert.match(yield* refusal("a.yaml", `just text`), /^a\.yaml: holds no object/)
      assert.match(yield* refusal("a.json", " \n"), /^a\.json: is empty$/)
    })
  )

  it.effect("that is no JSON is refused with the line and the column, and without its text", () =>
    Effect.gen(function* () {
      const text = `{\n  "url": "https://a.example",\n  "headers": { "authorization": "Bearer top-secret" oops }\n}`
      const refusal = yield* Effect.flip(read("a.json", text))
      assert.match(refusal, /^a\.json:3:\d+: /)
      assert.notInclude(refusal, "secret")
      assert.match(
        yield* Effect.flip(read("a.json", `{"url":"https://a.example","url":"https://b.example"}`)),
        /^a\.json:1:\d+: .*twice|more than once|duplicate/i
      )
    })
  )

  it.effect("that is not there is said to be missing", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(StepFile.read("/nowhere/step.json"))
      assert.strictEqual(missing.problem, "there is no file /nowhere/step.json")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
