/** Secrets and settings as rows, and back. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { SecretPort, StoredSecrets } from "../store/SecretRecords.ts"
import type { Executor } from "./Running.ts"
import { Text } from "./JobRows.ts"
import { reader } from "./Reader.ts"

/** The secrets of a customer. */
const LoadedSecrets = Schema.Struct({ primary_secret: Schema.String, secondary_secret: Text })

/** The secrets of a customer as the port knows them. */
const toSecrets = (row: typeof LoadedSecrets.Type): StoredSecrets => ({
  primary: Redacted.make(row.primary_secret),
  secondary: row.secondary_secret === null ? undefined : Redacted.make(row.secondary_secret)
})

/** The secrets of a customer as they are written: primary and secondary. */
const encodeSecrets = ({ primary, secondary }: StoredSecrets) =>
  [Redacted.value(primary), secondary === undefined ? null : Redacted.value(secondary)] as const

/** Secrets and settings over any database. */
export const secretPort = (run: Executor): SecretPort => ({
  secrets: (customer) => Effect.flatMap(run("secrets", customer), readSecrets),
  changeSecrets: Effect.fnUntraced(function* (customer, change) {
    let isDone = false
    while (!isDone) {
      const known = yield* Effect.flatMap(run("secrets", customer), readSecrets)
      const [primary, secondary] = encodeSecrets(yield* change(known))
      isDone = yield* run(
        "replaceSecrets",
        customer,
        known === undefined ? null : encodeSecrets(known),
        primary,
        secondary
      )
    }
  }),
  everySecret: Effect.flatMap(run("everySecret"), readEverySecret),
  setting: (name) => Effect.flatMap(run("setting", name), readSetting),
  putSecrets: (secrets, settings) =>
    Effect.andThen(
      run(
        "putSecrets",
        secrets.map(({ customer, ...known }) => [customer, ...encodeSecrets(known)] as const),
        settings
      ),
      run("foldLog")
    ),
  setSecrets: (customer, secrets) => {
    const [primary, secondary] = secrets === undefined ? [null, null] : encodeSecrets(secrets)
    return run("setSecrets", customer, primary, secondary)
  }
})

const readSecrets = reader(Schema.UndefinedOr(LoadedSecrets), (row) => row && toSecrets(row))

const readEverySecret = reader(
  Schema.Array(Schema.Struct({ customer: Schema.String, ...LoadedSecrets.fields })),
  (rows) => rows.map(({ customer, ...row }) => ({ customer, ...toSecrets(row) }))
)

const readSetting = reader(Schema.UndefinedOr(Schema.Struct({ value: Schema.String })), (row) => row?.value)
