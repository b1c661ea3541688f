import { assert, describe, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as Settings from "../../../src/cli/serving/Settings.ts"
import * as Storage from "../../../src/dam/embedded/Storage.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"

const none: Settings.Flags = {
  port: undefined,
  host: undefined,
  db: undefined,
  database: undefined,
  databasePasswordFile: undefined,
  config: undefined,
  keysFile: undefined,
  allowPrivate: false,
  allowEgress: [],
  backupDir: undefined,
  resumeCopy: false,
  textSearch: undefined
}

const settle = (flags: Partial<Settings.Flags>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.provideService(
    Settings.settle({ ...none, ...flags }),
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromUnknown(environment)
  )

const file = Effect.fnUntraced(function* (text: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempFileScoped({ prefix: "settings-" })
  yield* files.writeFileString(path, text)
  return path
})

const refusal = (flags: Partial<Settings.Flags>, environment?: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(settle(flags, environment)), ({ message }) => message)

describe("settings", () => {
  layer(NodeServices.layer)((it) => {
    it.effect("have defaults for all that is left out", () =>
      Effect.gen(function* () {
        const settings = yield* settle({})
        const path = yield* Path.Path
        assert.strictEqual(settings.host, "127.0.0.1")
        assert.strictEqual(settings.port, 8080)
        assert.deepStrictEqual(settings.storage, { path: path.resolve("ezthrottle.db") })
        assert.isUndefined(settings.keys)
        assert.strictEqual(EgressPolicy.describe(settings.policy), "public addresses")
      })
    )

    it.effect("take flags before the file, and the file before the defaults", () =>
      Effect.gen(function* () {
        const config = yield* file("port: 1\nhost: localhost\ndb: ':memory:'\negress: { allow: [10.0.0.0/8] }\n")
        const fromFile = yield* settle({ config })
        assert.deepStrictEqual([fromFile.port, fromFile.host, fromFile.storage], [1, "localhost", { path: ":memory:" }])
        const flags = yield* settle({ config, port: 2, host: "::1", db: "/tmp/x.db", allowEgress: ["billing.corp"] })
        assert.deepStrictEqual([flags.port, flags.host, flags.storage], [2, "::1", { path: "/tmp/x.db" }])
        assert.strictEqual(EgressPolicy.describe(flags.policy), "public addresses, billing.corp, 10.0.0.0/8")
      })
    )

    it.effect("take a database in place of a file, its password from a file, and say neither", () =>
      Effect.gen(function* () {
        const passwordFile = yield* file("s3cret/ä\n")
        const database = "postgres://dam@db.internal:5433/jobs"
        const settings = yield* settle({ database, databasePasswordFile: passwordFile })
        assert.isTrue("database" in settings.storage)
        const url = "database" in settings.storage ? Redacted.value(settings.storage.database) : ""
        assert.strictEqual(url, "postgres://dam:s3cret%2F%C3%A4@db.internal:5433/jobs")
        assert.strictEqual(Storage.nameOf(settings.storage), database)
        assert.notInclude(inspect(settings, { depth: 9 }), "s3cret")
      })
    )

    it.effect("take the database of the environment last, and one place only", () =>
      Effect.gen(function* () {
        const environment = { EZTHROTTLE_DATABASE_URL: "postgres://dam:s3cret@db.internal/jobs" }
        const settings = yield* settle({}, environment)
        assert.strictEqual(Storage.nameOf(settings.storage), "postgres://dam@db.internal/jobs")
        assert.deepStrictEqual((yield* settle({ db: ":memory:" }, environment)).storage, { path: ":memory:" })
        const config = yield* file("database: postgres://other.internal/jobs\n")
        const fromFile = yield* settle({ config }, environment)
        assert.strictEqual(Storage.nameOf(fromFile.storage), "postgres://other.internal/jobs")
        const both = { db: "x.db", database: "postgres://dam:s3cret@db.internal/jobs" }
        assert.strictEqual(
          yield* refusal(both),
          "--db and --database: a dam has one place for its jobs; name one of them"
        )
        assert.strictEqual(
          yield* refusal({ database: "mysql://dam:s3cret@db.internal/jobs" }),
          "--database: Expected a URL such as postgres://user@host:5432/name"
        )
      })
    )

    it.effect("refuse a notice where no webhook may go, and say which", () =>
      Effect.gen(function* () {
        const notices = "notices: { urls: [https://ops.example.com/, http://10.0.0.7/] }\n"
        const config = yield* file(notices)
        const denied = yield* refusal({ config })
        assert.isTrue(denied.startsWith(`${config}: notices.urls[1]: DeniedAddress: 10.0.0.7 leads to`), denied)
        assert.include(denied, "--allow-egress 10.0.0.7")
        const allowed = yield* settle({ config, allowEgress: ["10.0.0.7"] })
        assert.lengthOf(allowed.file.dam.notices?.urls ?? [], 2)
        const https = yield* file(`${notices}webhooks: { https_only: true }\negress: { allow_private: true }\n`)
        assert.strictEqual(
          yield* refusal({ config: https }),
          `${https}: notices.urls[1]: webhooks are told over https only`
        )
      })
    )

    it.effect("take keys from the flag, the file, or the environment, in this order", () =>
      Effect.gen(function* () {
        const environment = { EZTHROTTLE_DAM_KEYS: "fromEnvironment:k1" }
        const keysFile = yield* file("fromFlag:k2\n")
        const config = yield* file(`keys_file: ${yield* file("fromFile:k3\n")}\n`)
        const customers = (flags: Partial<Settings.Flags>) =>
          Effect.map(settle(flags, environment), ({ keys }) => [...(keys?.customers ?? [])])
        assert.deepStrictEqual(yield* customers({}), ["fromEnvironment"])
        assert.deepStrictEqual(yield* customers({ config }), ["fromFile"])
        assert.deepStrictEqual(yield* customers({ config, keysFile }), ["fromFlag"])
      })
    )

    it.effect("let a dam with keys listen anywhere, and one without on loopback only", () =>
      Effect.gen(function* () {
        const keysFile = yield* file("acme:k\n")
        assert.strictEqual((yield* settle({ host: "0.0.0.0", keysFile })).host, "0.0.0.0")
        for (const host of ["127.0.0.1", "127.8.9.1", "::1", "localhost"]) {
          assert.strictEqual((yield* settle({ host })).host, host)
        }
        for (const host of ["0.0.0.0", "::", "192.168.0.7", "127.0.0.1.example.com"]) {
          assert.match(yield* refusal({ host }), /needs API keys \(--keys-file or EZTHROTTLE_DAM_KEYS\)/)
        }
      })
    )

    it.effect("are refused with what is wrong and where", () =>
      Effect.gen(function* () {
        const config = yield* file("prot: 1\n")
        assert.strictEqual(yield* refusal({ config }), `${config}: prot: there is no such setting`)
        assert.strictEqual(yield* refusal({ config: "/nowhere.yaml" }), "--config /nowhere.yaml: there is no such file")
        assert.strictEqual(yield* refusal({ keysFile: "/nowhere" }), "--keys-file /nowhere: there is no such file")
        assert.include(yield* refusal({ allowEgress: ["10.0.0.0/99"] }), 'allow-egress "10.0.0.0/99"')
        const secret = yield* refusal({}, { EZTHROTTLE_DAM_KEYS: "no-colon-but-secret" })
        assert.include(secret, "entry 1: there is no colon")
        assert.notInclude(secret, "no-colon-but-secret")
      })
    )
  })
})
