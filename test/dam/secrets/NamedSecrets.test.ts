/** Jobs whose headers name secrets: what is sent, where it may go, and what becomes of those that cannot have one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as NamedSecrets from "../../../src/dam/secrets/NamedSecrets.ts"
import * as Vault from "../../../src/dam/secrets/Vault.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Step from "../../../src/step/Step.ts"
import * as TimeLimit from "../../../src/transport/TimeLimit.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, hook, lines, ok, type Options, setUp, toEnd, url } from "../support.ts"

const masterKey = Redacted.make(Buffer.alloc(32, 3).toString("base64"))
const tokenUrl = "https://id.example/token"

/** A dam that keeps secrets; `issuer` answers whoever asks for tokens. */
const world = Effect.fnUntraced(function* (
  target: Script.Script = Script.always(ok),
  issuer: Script.Script = Script.always({ status: 500 }),
  options: Options = {}
) {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const tokens = yield* Script.make(issuer)
  const secrets = yield* NamedSecrets.make(store, yield* Vault.sealer(masterKey), {
    transport: tokens,
    egress: EgressPolicy.open
  })
  const dam = yield* setUp({ store, secrets, target, receivers: Script.always({ status: 204 }), ...options })
  const authorizations = Effect.map(dam.exchanges, (calls) =>
    calls.map(({ asked }) => asked.request.headers["authorization"] ?? null)
  )
  return { ...dam, secrets, asked: tokens.exchanges, authorizations }
})

const value = (secret: string, ...hosts: ReadonlyArray<string>): NamedSecrets.Given => ({
  hosts: hosts.length === 0 ? ["https://api.example"] : hosts,
  secret: Redacted.make(secret),
  tokens: undefined
})

const oauth: NamedSecrets.Given = {
  hosts: ["https://api.example"],
  secret: Redacted.make("client secret"),
  tokens: { tokenUrl, clientId: "client", scope: "read write", audience: undefined, clientAuth: "basic" }
}

const token = (name: string, seconds = 3600): Script.Input => ({
  status: 200,
  body: JSON.stringify({ access_token: name, token_type: "Bearer", expires_in: seconds })
})

const bearer = (target: string) =>
  Step.get(target, { headers: { authorization: Step.secret("stripe", { prefix: "Bearer " }) } })

describe("a secret that a job names", () => {
  it.effect("is a token though its issuer says nothing of how long it holds", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ access_token: "t", token_type: "Bearer", expires_in: null, error: null })
      const dam = yield* world(Script.always(ok), Script.always({ status: 200, body }))
      yield* dam.secrets.set("local", "stripe", oauth)
      yield* dam.runToEnd(bearer(`${url}a`))
      assert.deepStrictEqual(yield* dam.authorizations, ["Bearer t"])
    })
  )

  it.effect("is looked up when the call is sent, so that one that was rotated counts for a job that waits", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      yield* dam.secrets.set("local", "stripe", value("first"))
      yield* dam.submit(bearer(`${url}now`))
      yield* TestClock.adjust("1 second")
      const waits = yield* dam.submit(Step.retryAt(bearer(`${url}later`), 3_600_000))
      const before = yield* dam.secrets.set("local", "stripe", value("second"))
      assert.deepStrictEqual(
        [before.name, before.hosts, before.madeAt, before.rotatedAt],
        ["stripe", ["https://api.example"], 0, 1000]
      )
      const job = yield* toEnd(dam.get(waits))
      assert.strictEqual(job.state, "succeeded")
      assert.deepStrictEqual(yield* dam.authorizations, ["Bearer first", "Bearer second"])
      assert.notInclude(JSON.stringify(job), "second")
    })
  )

  it.effect("belongs to its customer: nobody else can name it", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      yield* dam.secrets.set("local", "stripe", value("first"))
      const job = yield* dam.runToEnd(bearer(url), { customer: "acme" })
      assert.deepStrictEqual([job.state, ...lines(job)], ["failed", "0 start SecretRefused"])
      assert.deepStrictEqual(yield* dam.sent, [])
      assert.strictEqual(
        job.result?.error?.message,
        "GET https://api.example/ failed: the secret stripe is not sent: none of this name is kept here"
      )
    })
  )

  it.effect("goes to its hosts alone: not to where a redirect, a fallback or a child leads", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(`${url}redirects`, { status: 302, headers: { location: backup } }),
        Script.on(`${url}breaks`, { status: 400 }),
        Script.always(ok)
      )
      const dam = yield* world(target)
      yield* dam.secrets.set("local", "stripe", value("first"))
      const redirected = yield* dam.runToEnd(bearer(`${url}redirects`))
      assert.deepStrictEqual([redirected.state, ...lines(redirected)], ["failed", "0 start SecretRefused"])
      const fallen = yield* dam.runToEnd(Step.fallback(bearer(`${url}breaks`), bearer(backup)))
      assert.deepStrictEqual(lines(fallen), ["0 start 400", "1 start SecretRefused"])
      const parent = yield* dam.runToEnd(Step.onSuccess(bearer(`${url}parent`), bearer(backup)))
      assert.strictEqual(parent.state, "succeeded")
      yield* TestClock.adjust("1 minute")
      const plain = yield* dam.runToEnd(bearer("http://api.example/"))
      assert.deepStrictEqual(lines(plain), ["0 start SecretRefused"])
      assert.isTrue((yield* dam.sent).every((line) => line.startsWith("api ")))
      assert.deepStrictEqual(yield* dam.authorizations, ["Bearer first", "Bearer first", "Bearer first"])
    })
  )

  it.effect("goes where a redirect leads when its hosts have it, and other credentials stay behind all the same", () =>
    Effect.gen(function* () {
      const dam = yield* world(
        Script.all(Script.on(url, { status: 302, headers: { location: backup } }), Script.always(ok))
      )
      yield* dam.secrets.set("local", "stripe", value("first", "https://api.example", "https://backup.example"))
      const job = yield* dam.runToEnd(Step.header(bearer(url), "cookie", "mine"))
      assert.strictEqual(job.state, "succeeded")
      const last = (yield* dam.exchanges)[1]?.asked.request.headers ?? {}
      assert.deepInclude(last, { authorization: "Bearer first" })
      assert.notProperty(last, "cookie")
    })
  )

  it.effect("that was deleted ends the jobs that wait for it, with a reason that webhooks are told", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      yield* dam.secrets.set("local", "stripe", value("first"))
      const step = Step.retryAt(bearer(url), 3_600_000).pipe(Step.webhooks([{ url: hook }]))
      const id = yield* dam.submit(step)
      assert.isTrue(yield* dam.secrets.remove("local", "stripe"))
      assert.isFalse(yield* dam.secrets.remove("local", "stripe"))
      const job = yield* toEnd(dam.get(id))
      assert.strictEqual(job.result?.error?.tag, "SecretRefused")
      assert.strictEqual(job.result?.error?.kind, "unknown")
      yield* TestClock.adjust("1 minute")
      const [told] = yield* dam.told
      const body = told?.asked.request.body
      assert.include(typeof body === "string" ? body : new TextDecoder().decode(body), "the secret stripe is not sent")
    })
  )
})

describe("a token that a job names", () => {
  it.effect("is fetched once for all that need it, by the grant of its client, and again shortly before it ends", () =>
    Effect.gen(function* () {
      const dam = yield* world(Script.always(ok), Script.always(Script.inTurn(token("one", 600), token("two"))))
      yield* dam.secrets.set("local", "stripe", oauth)
      for (const path of ["a", "b", "c"]) yield* dam.submit(bearer(url + path))
      yield* TestClock.adjust("8 minutes")
      yield* dam.submit(bearer(`${url}later`))
      yield* TestClock.adjust("70 seconds")
      const [first] = yield* dam.asked
      assert.strictEqual((yield* dam.asked).length, 1)
      assert.strictEqual(first?.asked.request.url, tokenUrl)
      assert.strictEqual(
        first?.asked.request.headers["Authorization"],
        `Basic ${Buffer.from("client:client+secret").toString("base64")}`
      )
      assert.strictEqual(first?.asked.request.body, "grant_type=client_credentials&scope=read+write")
      yield* dam.runToEnd(bearer(`${url}d`))
      assert.strictEqual((yield* dam.asked).length, 2)
      assert.deepStrictEqual(yield* dam.authorizations, [
        ...Array.from({ length: 4 }, () => "Bearer one"),
        "Bearer two"
      ])
    })
  )

  it.effect("is fetched anew when a target does not accept it, once", () =>
    Effect.gen(function* () {
      const dam = yield* world(
        Script.always({ status: 401 }),
        Script.always(Script.inTurn(token("one"), token("two"), token("three")))
      )
      yield* dam.secrets.set("local", "stripe", oauth)
      const job = yield* dam.runToEnd(bearer(url))
      assert.deepStrictEqual([job.state, ...lines(job)], ["failed", "0 start 401"])
      assert.deepStrictEqual(yield* dam.authorizations, ["Bearer one", "Bearer two"])
      yield* dam.runToEnd(bearer(`${url}again`))
      assert.strictEqual((yield* dam.asked).length, 2)
    })
  )

  it.effect("is fetched anew within the one limit of its attempt", () =>
    Effect.gen(function* () {
      const slow = yield* Script.make(Script.always(Script.later("40 seconds", { status: 401 })))
      // one that keeps the limit of each call itself, as those over sockets do
      const transport = TimeLimit.keeping({
        ...slow,
        send: (exchange) => TimeLimit.within(slow.send(exchange), exchange.timeoutMillis)
      })
      const dam = yield* world(undefined, Script.always(token("t")), { transport })
      yield* dam.secrets.set("local", "stripe", oauth)
      const id = yield* dam.submit(
        bearer(url).pipe(Step.attemptTimeout("1 minute"), Step.retryPolicy({ maxRetries: 0 }))
      )
      yield* TestClock.adjust("1 hour")
      const job = yield* dam.get(id)
      assert.deepStrictEqual([job.finishedAt, ...lines(job)], [60_000, "0 start AttemptTimedOut"])
      assert.lengthOf(yield* slow.exchanges, 2)
    })
  )

  it.effect("makes jobs wait while nobody gives one, without spending their retries", () =>
    Effect.gen(function* () {
      const dam = yield* world(
        Script.always(ok),
        Script.always(Script.inTurn({ status: 503 }, { status: 429 }, token("one")))
      )
      yield* dam.secrets.set("local", "stripe", oauth)
      const job = yield* dam.runToEnd(Step.retryPolicy(bearer(url), { maxRetries: 0 }))
      assert.deepStrictEqual(
        [job.state, ...lines(job)],
        ["succeeded", "0 start TokenUnavailable", "0 repeat TokenUnavailable", "0 repeat 200"]
      )
      const [first] = job.history
      assert.strictEqual(
        first?.ending._tag === "Failed" && first.ending.failure.message,
        "no token for stripe: its token endpoint answered 503"
      )
    })
  )

  it.effect("that its issuer refuses for good ends the job, with what it said", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ error: "invalid_client", error_description: "client secret" })
      const dam = yield* world(Script.always(ok), Script.always({ status: 401, body }))
      yield* dam.secrets.set("local", "stripe", oauth)
      const job = yield* dam.runToEnd(bearer(url))
      assert.deepStrictEqual([job.state, ...lines(job)], ["failed", "0 start SecretRefused"])
      assert.deepStrictEqual([job.result?.error?.kind], ["denied"])
      assert.include(job.result?.error?.message ?? "", "its token endpoint answered 401 (invalid_client)")
      assert.notInclude(JSON.stringify(job), "client secret")
      assert.deepStrictEqual(yield* dam.sent, [])
    })
  )

  it.effect("is not asked for where the dam may not call", () =>
    Effect.gen(function* () {
      const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
      const transport = yield* Script.make(Script.always(token("one")))
      const secrets = yield* NamedSecrets.make(store, yield* Vault.sealer(masterKey), {
        transport,
        egress: EgressPolicy.publicOnly
      })
      const source = { ...oauth.tokens!, tokenUrl: "http://127.0.0.1/token" }
      yield* secrets.set("local", "stripe", { ...oauth, tokens: source })
      const { reveal } = secrets.call("local")
      const failure = yield* Effect.flip(reveal(bearer(url).request))
      assert.include(failure.message, "its token_url is where the dam may not call")
      assert.deepStrictEqual(yield* transport.exchanges, [])
    })
  )
})
