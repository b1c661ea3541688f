/** What stands of credentials on disk: sealed, rotated ones gone, backups alike. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Dam from "../../../src/dam/Dam.ts"
import * as Step from "../../../src/step/Step.ts"

const masterKey = Redacted.make(Buffer.alloc(32, 5).toString("base64"))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "credentials-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const bytesIn = (path: string) =>
  readdirSync(path)
    .map((name) => readFileSync(join(path, name), "latin1"))
    .join("")

const given = (secret: string) => ({ hosts: ["https://a.example"], secret: Redacted.make(secret), tokens: undefined })

describe("credentials at rest", () => {
  it.live("are sealed in the file and in its copies, and of one that was replaced nothing is left", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const running = yield* Dam.make({ path: join(path, "dam.db"), masterKey, executor: "sameThread" })
      yield* running.secrets.set("local", "stripe", given("canary-one-1111"))
      const sealed = new DatabaseSync(join(path, "dam.db"), { readOnly: true })
      const before = String(sealed.prepare("SELECT secret FROM credentials").get()?.["secret"])
      sealed.close()
      yield* running.secrets.set("local", "stripe", given("canary-two-2222"))
      yield* running.backup(join(path, "copy.db"))
      const bytes = bytesIn(path)
      assert.notInclude(bytes, "canary")
      assert.notInclude(bytes, before)
      assert.isAbove(before.length, 40)
      const { reveal } = running.secrets.call("local")
      const request = Step.get("https://a.example/", { headers: { authorization: Step.secret("stripe") } }).request
      assert.deepStrictEqual((yield* reveal(request)).headers, { authorization: "canary-two-2222" })
    })
  )

  it.live("open for nobody else when what they are for was changed in the file", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "dam.db")
      const running = yield* Dam.make({ path, masterKey, executor: "sameThread" })
      yield* running.secrets.set("local", "stripe", given("canary-one-1111"))
      const file = new DatabaseSync(path)
      file.prepare("UPDATE credentials SET definition = ?").run(JSON.stringify({ hosts: ["https://b.example"] }))
      file.close()
      const { reveal } = running.secrets.call("local")
      const request = Step.get("https://b.example/", { headers: { authorization: Step.secret("stripe") } }).request
      const { reason } = yield* Effect.flip(reveal(request))
      assert.deepInclude(reason, { _tag: "SecretRefused", kind: "unsealed" })
      // it hides no other, and is set anew
      yield* running.secrets.set("local", "other", given("canary-other-3333"))
      assert.lengthOf(yield* running.secrets.list("local"), 2)
      yield* running.secrets.set("local", "stripe", given("canary-one-4444"))
      const again = Step.get("https://a.example/", { headers: { authorization: Step.secret("stripe") } }).request
      assert.deepStrictEqual((yield* reveal(again)).headers, { authorization: "canary-one-4444" })
    })
  )
})
