import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as TestClock from "effect/testing/TestClock"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as KeysFile from "../../../../src/dam/http/door/KeysFile.ts"
import { logged } from "../../Logged.ts"

/** Keys over a file that the test writes; `undefined` takes it away. */
const following = (text: string | undefined) =>
  Effect.gen(function* () {
    const file = { text }
    const missing = PlatformError.systemError({
      _tag: "NotFound",
      module: "FileSystem",
      method: "readFileString",
      pathOrDescriptor: "keys"
    })
    const files = FileSystem.layerNoop({
      readFileString: () =>
        Effect.suspend(() => (file.text === undefined ? Effect.fail(missing) : Effect.succeed(file.text)))
    })
    const keys = yield* Effect.provide(KeysFile.follow("keys"), files)
    const who = (key: string) => {
      const { customer, role } = keys.authenticate(`Bearer ${key}`) ?? {}
      return customer && `${customer} ${role}`
    }
    return { file, keys, who }
  })

describe("keys in a file", () => {
  it.effect("come, go and change their role while the dam runs", () =>
    Effect.gen(function* () {
      const { file, keys, who } = yield* following("acme:one\nzebra:two")
      const { keyId = "" } = keys.authenticate("Bearer two") ?? {}
      file.text = "acme:one:operator\nbear:three"
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual([who("one"), who("two"), who("three")], ["acme customer", "zebra customer", undefined])
      assert.isFalse(keys.nameOperators)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([who("one"), who("two"), who("three")], ["acme operator", undefined, "bear customer"])
      assert.deepStrictEqual([keys.nameOperators, [...keys.customers]], [true, ["acme", "bear"]])
      assert.isUndefined(keys.recall(keyId))
    })
  )

  for (const [what, text] of [
    ["has a mistake", "acme:one\nnonsense-of-somebody"],
    ["is empty", "\n"],
    ["is gone", undefined]
  ] as const) {
    it.effect(`stay as they were while the file ${what}, which is logged once`, () =>
      Effect.gen(function* () {
        const { lines, value } = yield* logged(
          Effect.gen(function* () {
            const { file, who } = yield* following("acme:one")
            file.text = text
            yield* TestClock.adjust("1 minute")
            const meanwhile = who("one")
            file.text = "acme:two"
            yield* TestClock.adjust("5 seconds")
            return [meanwhile, who("one"), who("two")]
          })
        )
        assert.deepStrictEqual(value, ["acme customer", undefined, "acme customer"])
        assert.lengthOf(lines, 1)
        assert.include(lines[0] ?? "", "the keys stay as they were")
        assert.notInclude(lines[0] ?? "", "nonsense")
      })
    )
  }

  it.effect("have to be right at the start", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(following("acme")))._tag, "InvalidKeys")
      assert.strictEqual((yield* Effect.flip(following(undefined)))._tag, "PlatformError")
      assert.isTrue(Keys.parse("acme:one")._tag === "Success")
    })
  )
})
