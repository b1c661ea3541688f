/** Credentials at rest: sealed before they reach the file, and opened when they are read. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { CredentialPort, StoredCredential } from "../store/CredentialRecords.ts"
import { StorageFailed } from "../store/StoreError.ts"
import type { Sealer } from "./Vault.ts"

/** Seals the credentials of a store. In a list they stay sealed, so that one that was changed hides no other. */
export const make = (store: CredentialPort, sealer: Sealer): CredentialPort => ({
  ...store,
  credential: (customer, name) =>
    Effect.flatMap(store.credential(customer, name), (found) =>
      found === undefined ? Effect.undefined : opened(sealer, found)
    ),
  saveCredential: (credential) =>
    Effect.suspend(() =>
      store.saveCredential({
        ...credential,
        secret: Redacted.make(sealer.seal(purposeOf(credential), Redacted.value(credential.secret)))
      })
    )
})

const opened = (sealer: Sealer, found: StoredCredential): Effect.Effect<StoredCredential, StorageFailed> =>
  Effect.suspend(() => {
    const plain = sealer.open(purposeOf(found), Redacted.value(found.secret))
    return plain === undefined
      ? Effect.fail(new StorageFailed({ detail: `the sealed credential ${found.name} was changed` }))
      : Effect.succeed({ ...found, secret: Redacted.make(plain) })
  })

/** Its hosts are part of what is sealed: whoever changes them in the file opens nothing. */
const purposeOf = ({ customer, hosts, name, tokens }: StoredCredential): string =>
  `credential ${JSON.stringify([customer, name, hosts, tokens?.tokenUrl ?? null])}`
