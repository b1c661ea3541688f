import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Double from "../Double.ts"
import * as Support from "../support.ts"

const environment = { ONE: "the-first-secret-of-all", TWO: "the-second-secret-of-all", SHORT: "too-short" }

describe("ezthrottle secrets", () => {
  it.live("sets, shows masked, rotates and deletes, and never prints a secret", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const said: Array<string> = []
      const run = (...args: ReadonlyArray<string>) =>
        Effect.map(Support.run(["secrets", ...args, "--url", dam.url, "--verbose"], environment), (ran) => {
          said.push(ran.out, ran.err)
          return ran
        })
      const none = yield* run("get")
      assert.strictEqual(none.code, 6)
      assert.include(none.err, "set one with `ezthrottle secrets create`")
      assert.strictEqual((yield* run("rotate", "env:TWO")).code, 1)
      assert.strictEqual((yield* run("create", "env:ONE")).out, "webhooks are signed with this secret from now on")
      assert.match((yield* run("get")).out, /primary +the-\*\*\*\*-all\n +secondary +-$/)
      assert.strictEqual((yield* run("rotate", "env:ONE")).code, 1)
      assert.strictEqual((yield* run("rotate", "env:TWO")).code, 0)
      assert.deepStrictEqual(JSON.parse((yield* run("get", "--json")).out), {
        customer_id: "local",
        primary_secret: "the-****-all",
        secondary_secret: "the-****-all"
      })
      assert.strictEqual((yield* run("delete")).code, 0)
      assert.strictEqual((yield* run("get")).code, 6)
      for (const secret of [environment.ONE, environment.TWO]) assert.notInclude(said.join("\n"), secret)
    })
  )

  it.live("refuses a secret that is missing or too short before it calls anybody", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({})
      const refusal = (source: string) =>
        Effect.map(Support.run(["secrets", "create", source, "--url", url], environment), ({ code, err }) => {
          assert.strictEqual(code, 2)
          assert.notInclude(err, environment.SHORT)
          return err
        })
      assert.include(
        yield* refusal("env:SHORT"),
        "has 9 characters, and at least 16 are needed; make one with `openssl rand -hex 32`"
      )
      assert.include(yield* refusal("env:NOTHING"), "NOTHING is not set in the environment")
      const typed = yield* refusal("/a-secret-and-no-file")
      assert.include(typed, "there is no file of that name that could be read; say where the secret stands")
      assert.notInclude(typed, "a-secret-and-no-file")
      assert.isEmpty(asked)
    })
  )

  it.live("reaches the cloud through its proxy, which wants the old secret for a rotation", () =>
    Effect.gen(function* () {
      const forwarded = { status: "ok", message: "stored" }
      const { asked, url } = yield* Double.make({
        "POST /api/v1/proxy": {
          body: {
            status: "allowed",
            forwarded_response: { status_code: 200, headers: {}, body: JSON.stringify(forwarded) }
          }
        }
      })
      const cloud = {
        ...environment,
        EZTHROTTLE_URL: "https://cloud.example",
        EZTHROTTLE_TRACKTAGS_URL: url,
        EZTHROTTLE_API_KEY: "k"
      }
      const alone = yield* Support.run(["secrets", "rotate", "env:TWO"], cloud)
      assert.strictEqual(alone.code, 2)
      assert.include(alone.err, "give it with --old")
      const { code, err } = yield* Support.run(["secrets", "rotate", "env:TWO", "--old", "env:ONE"], cloud)
      assert.strictEqual(code, 0, err)
      const envelope = Object(asked[0]?.body)
      assert.strictEqual(envelope.target_url, "https://cloud.example/api/v1/webhook-secrets")
      assert.deepStrictEqual(JSON.parse(envelope.body), {
        primary_secret: environment.TWO,
        secondary_secret: environment.ONE
      })
    })
  )
})
