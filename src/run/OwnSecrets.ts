/** The secrets of a program: given to its client by name, with the hosts they may go to, and never handed to a service. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Rules from "../step/FieldRules.ts"
import { InvalidStep } from "../step/InvalidStep.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as Secrets from "../transport/Secrets.ts"
import type { SecretOptions } from "./ClientParts.ts"

/** Gives them to the calls of a transport; a value that is an effect, such as one of `Config`, is asked once, now. */
export const over = Effect.fnUntraced(function* <E>(
  transport: Exchanging,
  given: { readonly [name: string]: SecretOptions<E> }
): Effect.fn.Return<Exchanging, E> {
  const all = new Map<string, Secrets.Kept>()
  for (const [name, { hosts, value }] of Object.entries(given)) {
    if (!Rules.secretName.holds(name)) return yield* wrong(name, Rules.secretName.expected)
    const origins = hosts.map(Secrets.originOf).filter((origin) => origin !== undefined)
    if (origins.length === 0 || origins.length < hosts.length)
      return yield* wrong(`${name}.hosts`, Secrets.expectedHost)
    const found = Effect.isEffect(value) ? yield* value : value
    const secret = typeof found === "string" ? Redacted.make(found) : found
    if (!Rules.headerValue.holds(Redacted.value(secret)))
      return yield* wrong(`${name}.value`, Rules.headerValue.expected)
    all.set(name, { origins, value: Effect.succeed(secret) })
  }
  return Secrets.over(
    transport,
    Secrets.revealing((name) => Effect.succeed(all.get(name)))
  )
})

// what a program is made with is no input: it is wrong before anything runs
const wrong = (field: string, expected: string) =>
  Effect.die(new InvalidStep({ field: `secrets.${field}`, problem: `Expected ${expected}` }))
