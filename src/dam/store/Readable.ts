/** Lists some of whose members cannot be read. */
import * as Effect from "effect/Effect"
import type { StorageFailed } from "./StoreError.ts"

/** Reads what can be read of a list: what cannot is left out with a warning, and spoils no other. */
export const readable = Effect.fnUntraced(function* <A, B>(
  list: ReadonlyArray<A>,
  read: (one: A) => Effect.Effect<B, StorageFailed>
) {
  const [whole, damaged] = yield* Effect.partition(list, read)
  yield* Effect.forEach(damaged, ({ message }) => Effect.logWarning(message), { discard: true })
  return whole
})
