import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { diskFinding } from "../../../src/cli/commands/Doctor.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import * as Loopback from "../../system/support/Loopback.ts"
import * as Support from "../support.ts"

const doctor = (args: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.map(Support.run(["doctor", ...args, "--db", "/nowhere/dam.db", "--json"], environment), ({ code, out }) => ({
    code,
    of: (check: string) =>
      JSON.parse(out)
        .findings.filter((finding: { check: string }) => finding.check === check)
        .map(({ message, next, status }: { message: string; next: string; status: string }) => ({
          message,
          next,
          status
        }))
  }))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "doctor-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** A dam by its looks, whose clock stands still or whose health is not a dam's. */
const looking = (headers: Readonly<Record<string, string>>, health: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer((_, response) => {
              response.writeHead(200, { "content-type": "application/json", ...headers })
              response.end(health)
            })
            server.listen(0, "127.0.0.1", () => resolve(server))
          })
      ),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
    }
  )

describe("ezthrottle doctor", () => {
  it.live("finds nothing where nothing is wrong", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const { code, err, out } = yield* dam.run("doctor", "--db", "/nowhere/dam.db")
      assert.deepStrictEqual([code, err], [0, ""])
      assert.deepStrictEqual(
        out.split("\n").map((line) => line.slice(0, 14).trimEnd()),
        ["ok    settings", "-     config", "ok    service", "ok    key", "ok    clock", "-     disk"]
      )
    })
  )

  it.live("finds a service that is not there, or is none", () =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(Support.server(Loopback.upstream))
      const unreachable = yield* doctor(["--url", gone.url])
      assert.strictEqual(unreachable.code, 1)
      assert.include(unreachable.of("service")[0]?.message, "nothing listens at")
      assert.include(unreachable.of("service")[0]?.next, "start a dam with `ezthrottle dam`")
      const other = yield* doctor(["--url", yield* looking({}, "<html>")])
      assert.include(other.of("service")[0]?.message, "/health answers 200 and is no dam's")
    })
  )

  it.live("finds a wrong key and a missing one, and prints neither", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))
      const dam = yield* Support.dam({ keys })
      const missing = yield* doctor(["--url", dam.url])
      assert.include(missing.of("key")[0]?.next, "set EZTHROTTLE_API_KEY")
      const wrong = yield* doctor(["--url", dam.url], { EZTHROTTLE_API_KEY: "key-of-nobody" })
      assert.deepInclude(wrong.of("key")[0], { status: "error" })
      assert.notInclude(JSON.stringify([wrong.of("key"), wrong.of("settings")]), "key-of-nobody")
      const right = yield* doctor(["--url", dam.url], { EZTHROTTLE_API_KEY: "key-of-acme" })
      assert.strictEqual(right.code, 0)
    })
  )

  it.live("finds a clock that is off by minutes", () =>
    Effect.gen(function* () {
      const url = yield* looking(
        { date: new Date(Date.now() - 7 * 60_000).toUTCString() },
        JSON.stringify({ status: "ok", jobs: [], cursor: null })
      )
      const { code, of } = yield* doctor(["--url", url])
      assert.strictEqual(code, 1)
      assert.deepInclude(of("clock")[0], {
        status: "error",
        message: "the clocks here and there differ by 7m (this one is ahead)"
      })
    })
  )

  it.live("finds a URL that the dam would refuse, by the policy the dam tells", () =>
    Effect.gen(function* () {
      const check = [
        "--check",
        "http://10.0.0.7/a?token=secret",
        "--check",
        "http://93.184.215.14/b",
        "--check",
        "ftp://x"
      ]
      const strict = yield* Support.dam({ egress: EgressPolicy.publicOnly })
      const refused = yield* doctor([...check, "--url", strict.url])
      assert.strictEqual(refused.code, 1)
      assert.deepStrictEqual(
        refused.of("url").map(({ status }: { status: string }) => status),
        ["error", "ok", "error"]
      )
      assert.include(refused.of("url")[0]?.next, "--allow-egress 10.0.0.7")
      assert.notInclude(JSON.stringify(refused.of("url")), "secret")
      const open = yield* Support.dam({
        egress: Result.getOrThrow(EgressPolicy.make({ allowEgress: ["10.0.0.0/8"] }))
      })
      const allowed = yield* doctor(["--check", "http://10.0.0.7/a", "--url", open.url])
      assert.strictEqual(allowed.of("url")[0]?.status, "ok")
    })
  )

  it.live("finds a configuration file that cannot be used, and one that others can read", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const home = yield* folder
      const file = join(home, "ezthrottle", "config.yaml")
      mkdirSync(join(home, "ezthrottle"))
      writeFileSync(file, `url: ${dam.url}\napi_key: key-of-acme\n`)
      chmodSync(file, 0o644)
      const readable = yield* doctor([], { XDG_CONFIG_HOME: home })
      assert.deepStrictEqual(readable.of("config"), [
        { status: "warning", message: `${file} can be read by others`, next: `chmod 600 ${file}` }
      ])
      assert.strictEqual(readable.of("settings")[0]?.message, `${dam.url} (${file}), a key (${file})`)
      assert.strictEqual(readable.code, 0)
      writeFileSync(file, "api_key: key-of-acme\napikey: other\n")
      const broken = yield* doctor([], { XDG_CONFIG_HOME: home })
      assert.deepStrictEqual(broken.of("settings")[0]?.message, `${file}: apikey: there is no such setting`)
      writeFileSync(file, "api_key: [key-of-acme\n")
      const unread = yield* doctor([], { XDG_CONFIG_HOME: home })
      assert.strictEqual(unread.of("settings")[0]?.status, "error")
      assert.notInclude(JSON.stringify(unread.of("settings")), "key-of-acme")
    })
  )

  it("warns of a disk that fills up, and calls a full one wrong", () => {
    const status = (mib: number) => diskFinding("/data", mib * 1024 * 1024).status
    assert.deepStrictEqual([status(10_000), status(499), status(49), status(0)], ["ok", "warning", "error", "error"])
    assert.include(diskFinding("/data", 0).next, "free some space")
  })
})

describe("the settings of a command", () => {
  it.live("come from flags, then the environment, then the file, then a default that fits the key", () =>
    Effect.gen(function* () {
      const home = yield* folder
      mkdirSync(join(home, "ezthrottle"))
      const said = (environment: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) =>
        Effect.map(doctor(args, environment), ({ of }) => String(of("settings")[0]?.message).split(" ")[0])
      assert.strictEqual(yield* said({}), "http://127.0.0.1:8080")
      assert.strictEqual(yield* said({ EZTHROTTLE_API_KEY: "k" }), "https://ezthrottle.fly.dev")
      writeFileSync(join(home, "ezthrottle", "config.yaml"), "url: http://127.0.0.1:2/\n")
      assert.strictEqual(yield* said({ XDG_CONFIG_HOME: home }), "http://127.0.0.1:2")
      const both = { XDG_CONFIG_HOME: home, EZTHROTTLE_URL: "http://127.0.0.1:3" }
      assert.strictEqual(yield* said(both), "http://127.0.0.1:3")
      assert.strictEqual(yield* said(both, "--url", "http://127.0.0.1:4"), "http://127.0.0.1:4")
    })
  )
})
