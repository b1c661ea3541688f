/**
 * Webhook secrets as they were read last: every delivery of a customer needs the same ones, and reading them each time
 * would ask the file, and open their seal, for nothing. Whoever changes them makes them be read anew.
 */
import * as Effect from "effect/Effect"
import type { SecretPort, StoredSecrets } from "../store/SecretRecords.ts"

/** Customers whose secrets are remembered; beyond, all are read anew. */
const mostCustomers = 10_000

/** Remembers the secrets of a store that nobody else writes to. */
export const make = (store: SecretPort): SecretPort => {
  const known = new Map<string, StoredSecrets | undefined>()
  // what was read while somebody wrote is not remembered: nobody can tell which of the two it is
  let changes = 0
  const forget = (customers: ReadonlyArray<string>) =>
    Effect.sync(() => {
      changes++
      for (const customer of customers) known.delete(customer)
    })
  const changing = <A, E>(customers: ReadonlyArray<string>, write: Effect.Effect<A, E>) =>
    Effect.andThen(forget(customers), Effect.ensuring(write, forget(customers)))

  return {
    everySecret: store.everySecret,
    setting: store.setting,
    secrets: (customer) =>
      Effect.suspend(() => {
        if (known.has(customer)) return Effect.succeed(known.get(customer))
        const before = changes
        return Effect.map(store.secrets(customer), (found) => {
          if (before !== changes) return found
          if (known.size >= mostCustomers) known.clear()
          known.set(customer, found)
          return found
        })
      }),
    changeSecrets: (customer, change) => changing([customer], store.changeSecrets(customer, change)),
    setSecrets: (customer, secrets) => changing([customer], store.setSecrets(customer, secrets)),
    putSecrets: (secrets, settings) =>
      changing(
        secrets.map(({ customer }) => customer),
        store.putSecrets(secrets, settings)
      )
  }
}
