import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { StoredDelivery } from "../../../src/dam/job/Delivery.ts"
import * as Signing from "../../../src/dam/deliver/Signing.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Ed25519 from "../../../src/wire/Ed25519.ts"
import * as EzthrottleSignature from "../../../src/wire/EzthrottleSignature.ts"
import * as StandardWebhooks from "../../../src/wire/StandardWebhooks.ts"
import * as StandardWebhooksKeys from "../../../src/wire/StandardWebhooksKeys.ts"
import { Webhook } from "standardwebhooks"
import { delivery, secretsOf } from "../../conformance/jobStore/Fixtures.ts"

const standard = `whsec_${Buffer.alloc(24, 7).toString("base64")}`
const other = `whsec_${Buffer.alloc(32, 9).toString("base64")}`
const words = "a secret of plain words!"
const at = 1_700_000_000_123
const now = 1_700_000_000

const told: StoredDelivery = {
  ...delivery("job_1", 0, { body: new TextEncoder().encode('{"job_id":"job_1"}') }),
  state: "pending",
  attempts: [],
  dueAt: 0,
  begunAt: 0,
  spent: 0,
  dead: undefined
}

const store = SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })

const v1 = (headers: Readonly<Record<string, string>>, secret: string) =>
  StandardWebhooks.verify({
    id: headers["webhook-id"],
    timestamp: headers["webhook-timestamp"],
    signature: headers["webhook-signature"],
    body: told.body,
    secrets: [secret],
    now
  })._tag

const versions = (headers: Readonly<Record<string, string>>) =>
  headers["webhook-signature"]?.split(" ").map((one) => one.split(",")[0])

describe("the headers of a delivery", () => {
  it.effect("carry both secrets of a rotation in either scheme, the primary's signature last", () =>
    Effect.gen(function* () {
      const headers = yield* Signing.headers(told, secretsOf(standard, other), at, undefined)
      for (const secret of [standard, other]) {
        const own = EzthrottleSignature.verify({
          header: headers[EzthrottleSignature.headerName],
          body: told.body,
          secrets: [secret],
          now
        })
        assert.strictEqual(own._tag, "Valid")
        assert.strictEqual(v1(headers, secret), "Valid")
      }
      const alone = yield* Signing.headers(told, secretsOf(standard), at, undefined)
      const last = (name: string, apart: string) => headers[name]?.split(apart).at(-1)
      assert.strictEqual(last("webhook-signature", " "), alone["webhook-signature"])
      assert.strictEqual(
        last(EzthrottleSignature.headerName, ","),
        alone[EzthrottleSignature.headerName]?.split(",").at(-1)
      )
    })
  )

  it.effect("verify with the official library of Standard Webhooks, key pair beside secret", () =>
    Effect.gen(function* () {
      const signer = yield* Signing.make(yield* store)
      const recent = Date.now()
      const headers = yield* Signing.headers(told, secretsOf(standard), recent, signer)
      const payload = new Webhook(standard).verify(Buffer.from(told.body).toString(), headers)
      assert.deepStrictEqual(payload, { job_id: "job_1" })
      assert.deepStrictEqual(versions(headers), ["v1", "v1a"])
    })
  )

  it.effect("name the job, whichever webhook and attempt", () =>
    Effect.gen(function* () {
      for (const index of [0, 1]) {
        const headers = yield* Signing.headers({ ...told, index, id: `job_1:${index}` }, undefined, at, undefined)
        assert.deepStrictEqual(headers, { "webhook-id": "job_1", "webhook-timestamp": String(now) })
      }
    })
  )

  it.effect("have no v1 of a secret that Standard Webhooks cannot read", () =>
    Effect.gen(function* () {
      const signer = yield* Signing.make(yield* store)
      const headers = yield* Signing.headers(told, secretsOf(words, standard), at, signer)
      assert.deepStrictEqual(versions(headers), ["v1", "v1a"])
      assert.strictEqual(v1(headers, standard), "Valid")
      assert.include(headers[EzthrottleSignature.headerName], "v1=")
    })
  )

  it.effect("carry v1a without any secret, under a key that outlives a restart", () =>
    Effect.gen(function* () {
      const kept = yield* store
      const first = yield* Signing.make(kept)
      const second = yield* Signing.make(kept)
      assert.strictEqual(first.publicKey, second.publicKey)
      assert.notStrictEqual((yield* Signing.make(yield* store)).publicKey, first.publicKey)
      const headers = yield* Signing.headers(told, undefined, at, second)
      const verdict = yield* StandardWebhooksKeys.verify({
        id: headers["webhook-id"],
        timestamp: headers["webhook-timestamp"],
        signature: headers["webhook-signature"],
        body: told.body,
        publicKeys: [first.publicKey],
        now
      }).pipe(Effect.provide(Ed25519.layer))
      assert.strictEqual(verdict._tag, "Valid")
    })
  )
})
