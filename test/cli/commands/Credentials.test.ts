import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Double from "../../dam/http/HttpDouble.ts"
import * as Support from "../support.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "credentials-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("ezthrottle credentials", () => {
  it.live("puts what stands in a file or a variable, lists and deletes it, and prints no secret", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      const run = (...args: ReadonlyArray<string>) =>
        Support.run(["credentials", ...args], { EZTHROTTLE_DAM_URL: url, CRM_SECRET: "s3cret-of-the-crm" })
      const file = join(yield* folder, "stripe.key")
      writeFileSync(file, "s3cret-of-stripe\n")
      assert.strictEqual((yield* run("list")).out, "no credentials")
      const put = yield* run("put", "stripe", file, "--host", "api.stripe.com", "--host", "http://localhost:3000")
      assert.strictEqual(put.code, 0, put.err)
      assert.match(put.out, /stripe +value +https:\/\/api\.stripe\.com http:\/\/localhost:3000 /)
      const terms = ["--token-url", "https://id.example.com/token", "--client-id", "us", "--scope", "read"]
      const oauth = yield* run("put", "crm", "env:CRM_SECRET", "--host", "crm.example.com", ...terms, "--json")
      assert.deepInclude(JSON.parse(oauth.out), { name: "crm", kind: "oauth2", scope: "read" })
      const listed = yield* run("list")
      assert.match(listed.out, /crm +oauth2 .*\n.*stripe +value /s)
      assert.match((yield* run("delete", "stripe")).out, /stripe is deleted; jobs that name it fail/)
      const wrong = yield* run("put", "crm", "env:CRM_SECRET", "--host", "a.example/path")
      assert.notStrictEqual(wrong.code, 0)
      const typed = yield* run("put", "crm", "s3cret-typed-in", "--host", "a.example")
      assert.match(typed.err, /the secret itself is no argument/)
      for (const { err, out } of [put, oauth, listed, wrong, typed]) assert.notInclude(out + err, "s3cret")
    })
  )
})
