import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as EgressDoor from "../../../src/dam/egress/Door.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Intake from "../../../src/dam/intake/Intake.ts"
import * as IntakeId from "../../../src/dam/job/JobId.ts"
import { payloadOf, scopeOf } from "../../../src/dam/job/JobKey.ts"
import { accountOf, laneOf } from "../../../src/dam/job/LaneName.ts"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import * as Idempotency from "../../../src/engine/Idempotency.ts"
import type * as Request from "../../../src/step/Request.ts"
import * as Arbitraries from "../../../src/testing/Arbitraries.ts"
import { dns } from "../http/HttpDouble.ts"

const url = "https://api.example.com/orders"

const intake = (limits: Partial<Limits.Limits> = {}, resolver = dns, credentials?: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const door = yield* EgressDoor.make(EgressPolicy.publicOnly)
    return Intake.make({ limits: Limits.make(limits), door, credentials })
  }).pipe(Effect.provideService(Dns.Dns, resolver))

const submission = (body: object, headers: Readonly<Record<string, string>> = {}): Intake.Submission => ({
  customer: "acme",
  body: new TextEncoder().encode(JSON.stringify(body)),
  headers
})

const taken = (body: object, headers?: Readonly<Record<string, string>>) =>
  Effect.flatMap(intake(), ({ cloud }) => cloud(submission(body, headers)))

const flatJob = { user_id: "u1", idempotent_key: "k1", url, method: "POST", webhook_url: "https://hooks.example.com/" }

describe("intake", () => {
  it.effect("files a job under the hash of method, URL and body when no key is given", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      const job = yield* taken({ url, method: "post", body: "hi" })
      const hash = Idempotency.hash({ method: "POST", url, body: "hi" })
      assert.deepInclude(job, {
        customer: "acme",
        dialect: "cloud",
        keyScope: "acme",
        key: hash,
        keyGiven: false,
        payload: hash,
        lane: "api.example.com:443",
        isolated: false,
        createdAt: 1_800_000_000_000,
        notBefore: undefined
      })
      assert.isTrue(IntakeId.isId(job.id))
    })
  )

  it.effect("takes the key from the header as from the body, and the step carries it", () =>
    Effect.gen(function* () {
      const job = yield* taken({ url }, { "idempotency-key": "mine" })
      assert.deepInclude(job, { key: "mine", keyGiven: true })
      assert.deepStrictEqual(job.step.idempotency, { _tag: "Custom", key: "mine" })
      assert.strictEqual(job.payload, Idempotency.hash({ method: "GET", url, body: undefined }))
    })
  )

  it.effect("takes a key that is the hash of the call for HASH, by whichever credentials it was computed", () =>
    Effect.gen(function* () {
      const call = { url, headers: { Authorization: "ann", "X-Tenant": "a" } }
      const { cloud } = yield* intake({}, dns, ["X-Tenant"])
      const filed = yield* cloud(submission(call))
      assert.strictEqual(filed.key, Idempotency.hash({ ...call, method: "GET", body: undefined }, ["x-tenant"]))
      const plain = { method: "GET", url, body: undefined }
      for (const key of [
        Idempotency.hash(plain),
        Idempotency.hash({ ...plain, headers: call.headers }),
        Idempotency.hash({ ...plain, headers: call.headers }, ["X-Tenant"])
      ]) {
        const job = yield* cloud(submission({ ...call, idempotent_key: key }))
        assert.deepInclude(job, { key: filed.key, keyGiven: false, payload: Idempotency.hash(plain) })
      }
      const other = yield* cloud(submission({ ...call, headers: { ...call.headers, "X-Tenant": "b" } }))
      assert.notStrictEqual(other.key, filed.key)
    })
  )

  it.effect("scopes the key of the flat dialect to customer and user", () =>
    Effect.gen(function* () {
      const { flat } = yield* intake()
      const job = yield* flat(submission({ ...flatJob, headers: { "x-a": "1" }, body: "b" }))
      assert.deepInclude(job, { dialect: "flat", key: "k1", keyGiven: true, keyScope: scopeOf("acme", "u1") })
      assert.deepStrictEqual(
        job.step.webhooks.map((webhook) => webhook.url),
        ["https://hooks.example.com/"]
      )
      assert.notStrictEqual(scopeOf("acme", "u1"), scopeOf("acme"))
    })
  )

  for (const name of ["user_id", "idempotent_key", "url", "method", "webhook_url"]) {
    it.effect(`requires ${name} in the flat dialect, and not empty`, () =>
      Effect.gen(function* () {
        const { flat } = yield* intake()
        for (const value of [undefined, "", 1, null]) {
          const refused = yield* Effect.flip(flat(submission({ ...flatJob, [name]: value })))
          assert.deepInclude(refused, { status: 400, code: "invalid_field", field: name })
        }
      })
    )
  }

  it.effect("says in the flat dialect that pools are not supported, and names unknown keys", () =>
    Effect.gen(function* () {
      const { flat } = yield* intake()
      const { url: _, ...pooled } = { ...flatJob, pool_id: "p" }
      const pool = yield* Effect.flip(flat(submission(pooled)))
      assert.deepInclude(pool, { status: 400, field: "pool_id" })
      assert.include(pool.message, "pools are not supported")
      const unknown = yield* Effect.flip(flat(submission({ ...flatJob, webhok: 1 })))
      assert.deepInclude(unknown, { code: "unknown_field", field: "webhok" })
      const webhook = yield* Effect.flip(flat(submission({ ...flatJob, webhook_url: "http://10.0.0.1/" })))
      assert.deepInclude(webhook, { status: 400, code: "url_denied", field: "webhook_url" })
      const nonsense = yield* Effect.flip(flat(submission({ ...flatJob, webhook_url: "nonsense" })))
      assert.deepInclude(nonsense, { status: 400, code: "url_denied", field: "webhook_url" })
    })
  )

  it.effect("isolates only who asks for it, in any namespace of the pacing headers", () =>
    Effect.gen(function* () {
      for (const name of ["x-aqueduct-account-queue", "x-ezthrottle-account-queue", "x-aquifer-account-queue"]) {
        assert.isTrue((yield* taken({ url }, { [name]: "enabled" })).isolated)
        assert.isFalse((yield* taken({ url }, { [name]: "disabled" })).isolated)
      }
      // the header of the call itself is the target's business
      assert.isFalse((yield* taken({ url, headers: { "x-aqueduct-account-queue": "enabled" } })).isolated)
    })
  )

  it.effect("keeps a trace context that is one", () =>
    Effect.gen(function* () {
      const given = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`
      assert.strictEqual((yield* taken({ url }, { traceparent: given })).traceparent, given)
      assert.isUndefined((yield* taken({ url }, { traceparent: "00-x" })).traceparent)
    })
  )

  it.effect("tells rules between fields in the spelling of the wire", () =>
    Effect.gen(function* () {
      const webhooks = [{ url: "https://hooks.example.com/" }]
      const refused = yield* Effect.flip(
        taken({
          url,
          fallback_job: { url, fallback_job: { url, webhooks, webhook_quorum: 2, trigger: {} }, trigger: {} }
        })
      )
      assert.deepInclude(refused, { status: 400, field: "fallback_job.fallback_job.webhook_quorum" })
    })
  )

  it.effect("asks for a name once in some seconds, whatever the path", () =>
    Effect.gen(function* () {
      let asked = 0
      const counting = Dns.make({ lookup: (name) => Effect.suspend(() => (asked++, dns.lookup(name))) })
      const { cloud } = yield* intake({}, counting)
      for (const path of ["/a", "/b?c", "", "#d"]) yield* cloud(submission({ url: `https://api.example.com${path}` }))
      assert.strictEqual(asked, 1)
      yield* TestClock.adjust("6 seconds")
      yield* cloud(submission({ url }))
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("does not take what was let through once for what only resembles it", () =>
    Effect.gen(function* () {
      const { cloud } = yield* intake()
      yield* cloud(submission({ url }))
      for (const other of [
        "https://api.example.com\\@10.0.0.1/",
        "https://api.example.com@10.0.0.1/",
        "https://api.example.com:22/",
        "https://loop.example.com/",
        "https://api.example.com.loop.example.com/"
      ]) {
        const refused = yield* Effect.flip(cloud(submission({ url: other })))
        assert.deepInclude(refused, { status: 422, code: "url_denied" }, other)
      }
    })
  )

  it.effect("says that the name server gave no answer, and when to try again", () =>
    Effect.gen(function* () {
      const silent = Dns.make({
        lookup: () =>
          Effect.fail(new Dns.DnsError({ reason: "ServerFailure", method: "lookup", hostname: "api.example.com" }))
      })
      const { cloud } = yield* intake({}, silent)
      const refused = yield* Effect.flip(cloud(submission({ url })))
      assert.deepInclude(refused, { status: 503, code: "dns_failed" })
      assert.deepStrictEqual(refused.headers, { "retry-after": "1" })
    })
  )
})

describe("the id of a job", () => {
  it.effect("is told from other texts, and is never drawn twice", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(Array.from({ length: 2000 }), () => IntakeId.fresh)
      assert.strictEqual(new Set(ids).size, 2000)
      assert.isTrue(ids.every(IntakeId.isId))
      assert.isFalse(IntakeId.isId(`${ids[0]}0`))
    })
  )

  it.effect("sorts by the time it was drawn", () =>
    Effect.gen(function* () {
      const ids: Array<string> = []
      for (const time of [1, 999, 1_000_000, 1_800_000_000_000, 1_800_000_000_001, 2 ** 48 - 1]) {
        yield* TestClock.setTime(time)
        ids.push(yield* IntakeId.fresh)
      }
      assert.deepStrictEqual([...ids].sort(), ids)
    })
  )
})

describe("what a job is filed under", () => {
  it.each([
    ["https://API.Example.com/a", "api.example.com:443"],
    ["https://api.example.com.:443/", "api.example.com:443"],
    ["http://api.example.com:8080/", "api.example.com:8080"],
    ["http://[2606:4700:0:0::1111]/", "[2606:4700::1111]:80"]
  ])("the lane of %s is %s", (of, lane) => {
    assert.strictEqual(laneOf(of), lane)
  })

  it("the account tells customers, users and credentials apart, and the strongest credential counts", () => {
    const accounts = [
      accountOf("acme", {}),
      accountOf("zebra", {}),
      accountOf(scopeOf("acme", "u1"), {}),
      accountOf("acme", { Authorization: "a" }),
      accountOf("acme", { "X-Api-Key": "a" }),
      accountOf("acme", { "api-key": "a" })
    ]
    assert.strictEqual(new Set(accounts).size, accounts.length)
    assert.strictEqual(
      accountOf("acme", { "api-key": "b", AUTHORIZATION: "a" }),
      accountOf("acme", { authorization: "a" })
    )
    assert.notInclude(accountOf("acme", { authorization: "secret" }), "secret")
  })

  it.prop("the payload's hash is the HASH key that anybody computes", [Arbitraries.step()], ([step]) => {
    assert.strictEqual(payloadOf(step.request), Idempotency.hash(step.request))
  })

  it("a body of bytes is hashed as bytes", () => {
    const request: Request.Request = { method: "PUT", url, headers: {}, body: Uint8Array.of(0, 255, 254) }
    assert.strictEqual(payloadOf(request), Idempotency.hash(request))
  })
})

describe("limits", () => {
  it("keep their defaults where nothing is said, and are reported in snake_case", () => {
    const limits = Limits.make({ webhooks: 2 })
    assert.deepInclude(Limits.toJson(limits), { webhooks: 2, body_bytes: 1_048_576, retry_ahead: 2_592_000_000 })
  })

  it.effect("are those that were configured", () =>
    Effect.gen(function* () {
      const { cloud } = yield* intake({ treeNodes: 1, urlBytes: 40 })
      const many = yield* Effect.flip(cloud(submission({ url, on_success: { url } })))
      assert.strictEqual(many.code, "too_deep")
      const long = yield* Effect.flip(cloud(submission({ url: `${url}/${"x".repeat(40)}` })))
      assert.deepInclude(long, { code: "invalid_field", field: "url" })
      assert.isTrue(Result.isSuccess(yield* Effect.result(cloud(submission({ url })))))
    })
  )
})
