/** Hands one step over: the same on the way to a dam and through the proxy of the cloud. */
import * as Effect from "effect/Effect"
import type * as Random from "effect/Random"
import type * as Schema from "effect/Schema"
import { hash } from "node:crypto"
import * as Keys from "../../run/Keys.ts"
import type { Step } from "../../step/StepModel.ts"
import * as StepRules from "../../step/StepRules.ts"
import * as Job from "../../wire/Job.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"
import * as Cloud from "../service/Cloud.ts"
import { readBy } from "../service/Target.ts"
import * as StepFile from "./StepFile.ts"

/** The job as it will travel: checked, and every UNIQUE step of its tree with a key, so that it can be sent twice. */
export const encode = (step: Step) =>
  Effect.gen(function* () {
    const { target } = yield* Service
    const broken = StepRules.check(step)
    if (broken !== undefined) return yield* Effect.fail(problem("usage", broken.message, { code: "bad_step" }))
    const settled = yield* Keys.settle(step)
    const job = Job.encode({ step: settled, key: Keys.keyFor(settled, false), retryAt: undefined }, readBy(target))
    return yield* Effect.mapError(Effect.fromResult(job), (unsendable) =>
      problem("usage", unsendable.problem, { code: "unsendable" })
    )
  })

/** Sends it, once. */
export const send = (job: Job.JobJson) =>
  Service.use((service) =>
    service.call({
      method: "POST",
      path: "/api/v1/jobs",
      body: toJson(job),
      schema: Cloud.Receipt,
      cloud: true
    })
  )

/** Reads one step, sends it and tells its id. */
export const one = Effect.fnUntraced(function* (file: string) {
  const step = yield* StepFile.read(file)
  const job = yield* encode(step)
  const { json, value } = yield* send(job)
  if (value.duplicate === true) yield* Output.note(`known already, ${value.status}`)
  yield* Output.print(json, () => value.job_id)
})

// an interface has no index signature, and is JSON all the same
const toJson = ({ ...job }: Job.JobJson): Schema.JsonObject => job as unknown as Schema.JsonObject

/** Draws the same keys for the same seed, however often and by whichever process: what a resumed batch needs. */
export const drawnFrom = (seed: string): Random.Random => {
  let block = 0
  let bytes: ReadonlyArray<number> = []
  const next = (): number => {
    if (bytes.length === 0) bytes = [...Buffer.from(hash("sha256", `${seed}:${block++}`, "hex"), "hex")]
    const [first = 0, ...rest] = bytes
    bytes = rest
    return first
  }
  return { nextIntUnsafe: next, nextDoubleUnsafe: () => next() / 256 }
}
