/** What `ezthrottle secrets` does. A secret comes from a file, the environment or standard input, and is never printed. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import * as Output from "../output/Output.ts"
import { type Problem, problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"
import * as Cloud from "../service/Cloud.ts"
import * as StepFile from "./StepFile.ts"
import { variable } from "../service/Target.ts"

/** A secret from where it stands: `env:NAME`, a file, or `-` for standard input. Without the line break of an editor. */
export const readAny = Effect.fnUntraced(function* (source: string) {
  const text = source.startsWith("env:")
    ? yield* Effect.flatMap(variable(source.slice(4)), (value) =>
        value === undefined
          ? Effect.fail(problem("usage", `${source.slice(4)} is not set in the environment`))
          : Effect.succeed(value)
      )
    : yield* source === "-" ? StepFile.readInput : fileOf(source)
  return Redacted.make(text.replace(/\r?\n$/, ""))
})

/** The same, of a secret that signs. */
export const read = Effect.fnUntraced(function* (source: string) {
  const name = source === "-" ? "standard input" : source
  const secret = Redacted.value(yield* readAny(source))
  if (secret.length < 16) {
    return yield* Effect.fail(
      problem("usage", `the secret from ${name} has ${secret.length} characters, and at least 16 are needed`, {
        next: "make one with `openssl rand -hex 32`",
        code: "weak_secret"
      })
    )
  }
  return Redacted.make(secret)
})

/** What cannot be read may be a secret that was typed in place of a name: it is not repeated. */
const fileOf = (name: string) =>
  Effect.mapError(StepFile.readText(name), ({ code }) =>
    problem("usage", "there is no file of that name that could be read", {
      next: "say where the secret stands: a file, env:NAME, or - for standard input; the secret itself is no argument",
      code
    })
  )

const path = "/api/v1/webhook-secrets"

const set = (body: Schema.JsonObject, secrets: ReadonlyArray<Redacted.Redacted>, done: string) =>
  Effect.gen(function* () {
    const service = yield* Service
    const { value } = yield* service.call({ method: "POST", path, body, schema: Cloud.Done, cloud: true, secrets })
    yield* Output.print({ status: value.status, message: value.message ?? null }, () => done)
  })

export const create = Effect.fnUntraced(function* (primary: string, secondary: string | undefined) {
  const first = yield* read(primary)
  const second = secondary === undefined ? undefined : yield* read(secondary)
  yield* set(
    {
      primary_secret: Redacted.value(first),
      ...(second === undefined ? {} : { secondary_secret: Redacted.value(second) })
    },
    second === undefined ? [first] : [first, second],
    "webhooks are signed with this secret from now on"
  )
})

export const get = Effect.gen(function* () {
  const service = yield* Service
  const { value } = yield* service.call({ path, schema: Cloud.MaskedSecrets, cloud: true })
  const { customer_id, primary_secret, secondary_secret } = value
  yield* Output.print({ customer_id, primary_secret, secondary_secret: secondary_secret ?? null }, (paint) =>
    Output.facts(paint, [
      ["customer", Output.plain(customer_id)],
      ["primary", Output.plain(primary_secret)],
      ["secondary", secondary_secret === null || secondary_secret === undefined ? "-" : Output.plain(secondary_secret)]
    ])
  )
})

/** The dam keeps the old secret itself; the cloud shows it masked only, so it has to be given. */
export const rotate = Effect.fnUntraced(function* (next: string, old: string | undefined) {
  const { target } = yield* Service
  if (target.kind === "cloud" && old === undefined) {
    return yield* Effect.fail<Problem>(
      problem("usage", "EZThrottle Cloud shows the old secret masked only, so that receivers would lose it", {
        next: "give it with --old",
        code: "old_secret_unknown"
      })
    )
  }
  const fresh = yield* read(next)
  const former = old === undefined ? undefined : yield* read(old)
  if (former !== undefined && Redacted.value(former) === Redacted.value(fresh)) {
    return yield* Effect.fail(problem("usage", "the new secret is the old one", { code: "weak_secret" }))
  }
  yield* set(
    {
      primary_secret: Redacted.value(fresh),
      ...(former === undefined ? { rotate: true } : { secondary_secret: Redacted.value(former) })
    },
    former === undefined ? [fresh] : [fresh, former],
    "webhooks are signed with both from now on; create it alone once every receiver knows it"
  )
})

export const remove = Effect.gen(function* () {
  const service = yield* Service
  const { value } = yield* service.call({ method: "DELETE", path, schema: Cloud.Done, cloud: true })
  yield* Output.print(
    { status: value.status, message: value.message ?? null },
    () => "webhooks are not signed any more"
  )
})
