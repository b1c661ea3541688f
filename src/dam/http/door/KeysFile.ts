/**
 * Keys that follow their file: who may call, and as what, changes while the dam runs.
 *
 * The file is read every few seconds. That notices every way in which files are replaced, over a network and in a
 * container too, and needs nobody to say so. A file that cannot be read, or holds a mistake or no key at all, changes
 * nothing: the keys stay as they were, and the log says why, once for each such content.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { hash } from "node:crypto"
import * as Keys from "./Keys.ts"

/**
 * How often the file is looked at.
 *
 * @category constants
 * @since 0.1.0
 */
export const every = Duration.seconds(5)

/**
 * Reads keys from a file, and again whenever it has changed, for as long as the scope lasts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const follow = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Keys.Keys, Keys.InvalidKeys | PlatformError, FileSystem.FileSystem | Scope.Scope> {
  const files = yield* FileSystem.FileSystem
  const first = yield* files.readFileString(path)
  let keys = yield* Effect.fromResult(Keys.parse(first))
  let seen = digestOf(first)

  const look = Effect.gen(function* () {
    const read = yield* Effect.result(files.readFileString(path))
    const text = Result.isSuccess(read) ? read.success : `unreadable: ${read.failure.reason._tag}`
    if (digestOf(text) === seen) return
    seen = digestOf(text)
    const next = Result.isSuccess(read) ? Keys.parse(text) : Result.fail({ message: text })
    if (Result.isFailure(next)) {
      return yield* Effect.logError(`${path}: the keys stay as they were; ${next.failure.message}`)
    }
    keys = next.success
    yield* Effect.logInfo(`${path}: keys were read again, ${keys.customers.size} customers have one`)
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(every), look)))

  return {
    get customers() {
      return keys.customers
    },
    get nameOperators() {
      return keys.nameOperators
    },
    authenticate: (authorization) => keys.authenticate(authorization),
    recall: (keyId) => keys.recall(keyId)
  }
})

// of the file nothing but this is kept
const digestOf = (text: string): string => hash("sha256", text, "base64url")
