/** What a webhook says of its own deliveries: more headers, another secret that signs, a link in place of the body. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as Links from "../../../src/dam/deliver/Links.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as ResultRoutes from "../../../src/dam/http/routes/ResultRoutes.ts"
import * as NamedSecrets from "../../../src/dam/secrets/NamedSecrets.ts"
import * as Vault from "../../../src/dam/secrets/Vault.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Reply from "../../../src/step/Reply.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as EzthrottleSignature from "../../../src/wire/EzthrottleSignature.ts"
import * as WebhookEvent from "../../../src/wire/WebhookEvent.ts"
import { hook, setUp, toEnd, url } from "../support.ts"

const masterKey = Redacted.make(Buffer.alloc(32, 3).toString("base64"))
const answered = "a long answer ".repeat(100)

const world = Effect.fnUntraced(function* (
  receivers: Script.Script = Script.always({ status: 204 }),
  { publicUrl, thinAfter413 }: { readonly publicUrl?: string; readonly thinAfter413?: boolean } = {},
  issuer: Script.Script = Script.always({ status: 500 })
) {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const secrets = yield* NamedSecrets.make(store, yield* Vault.sealer(masterKey), {
    transport: yield* Script.make(issuer),
    egress: EgressPolicy.open
  })
  const links = yield* Links.make(store, { publicUrl, lifetime: 3_600_000 })
  const target = Script.always({ status: 200, headers: { "content-type": "text/html" }, body: answered })
  const dam = yield* setUp({ store, secrets, links, thinAfter413, target, receivers })
  let runs = 0
  const run = (webhook: Step.WebhookOptions) =>
    Effect.gen(function* () {
      const id = yield* dam.submit(Step.webhooks(Step.get(`${url}${runs++}`), [webhook]))
      yield* toEnd(dam.get(id))
      yield* TestClock.adjust("1 minute")
      return id
    })
  const requests = Effect.map(dam.told, (calls) => calls.map(({ asked }) => asked.request))
  return { ...dam, secrets, links, run, requests }
})

const value = (secret: string, host = "https://hooks.example") => ({
  hosts: [host],
  secret: Redacted.make(secret),
  tokens: undefined
})

const source = { clientId: "us", scope: undefined, audience: undefined, clientAuth: "basic" } as const

const jsonOf = (body: string | Uint8Array | undefined) =>
  JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body))

describe("a webhook", () => {
  it.effect("has headers of its own, with secrets by their names, and keeps those of every delivery", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      yield* dam.secrets.set("local", "hook", value("s3cret"))
      const headers = { authorization: Step.secret("hook", { prefix: "Bearer " }), "x-tenant": "acme" }
      const id = yield* dam.run({ url: hook, headers })
      const [request] = yield* dam.requests
      assert.deepInclude(request?.headers, {
        authorization: "Bearer s3cret",
        "x-tenant": "acme",
        "Content-Type": "application/json",
        "webhook-id": id
      })
      const [delivery] = yield* dam.store.deliveries(id)
      assert.strictEqual(delivery?.state, "delivered")
      assert.notInclude(JSON.stringify([delivery, yield* dam.get(id)]), "s3cret")
    })
  )

  it.effect("is sent another token once its receiver does not accept the one it was sent", () =>
    Effect.gen(function* () {
      const token = (name: string) => ({
        status: 200,
        body: JSON.stringify({ access_token: name, expires_in: 86_400 })
      })
      const dam = yield* world(
        Script.always(Script.inTurn({ status: 401 }, { status: 204 })),
        {},
        Script.always(Script.inTurn(token("one"), token("two")))
      )
      const tokens = { ...source, tokenUrl: "https://id.example/token" }
      yield* dam.secrets.set("local", "hook", { ...value("client secret"), tokens })
      const id = yield* dam.run({ url: hook, headers: { authorization: Step.secret("hook") } })
      const sent = (yield* dam.requests).map(({ headers }) => headers["authorization"])
      assert.deepStrictEqual(sent, ["one", "two"])
      assert.strictEqual((yield* dam.store.deliveries(id))[0]?.state, "delivered")
    })
  )

  it.effect("gets no secret that may not go there, and its attempts say so", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      yield* dam.secrets.set("local", "hook", value("s3cret", "https://other.example"))
      yield* dam.secrets.set("local", "short", value("short"))
      // a receiver could not know what signed it
      yield* dam.secrets.set("local", "token", {
        ...value("client secret"),
        tokens: { ...source, tokenUrl: "https://id.example/token" }
      })
      for (const terms of [
        { secret: "token" },
        { secret: "short" },
        { headers: { "x-key": Step.secret("hook") } },
        { secret: "hook" },
        { secret: "none" }
      ]) {
        const id = yield* dam.run({ url: hook, ...terms })
        const [delivery] = yield* dam.store.deliveries(id)
        assert.strictEqual(delivery?.state, "pending")
        assert.match(delivery?.attempts[0]?.error ?? "", /the secret (hook|none|short|token) is not sent: /)
      }
      assert.deepStrictEqual(yield* dam.requests, [])
    })
  )

  it.effect("is signed with the secret that it names, in place of the customer's", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      yield* dam.store.setSecrets("local", { primary: Redacted.make("the one of the customer"), secondary: undefined })
      yield* dam.secrets.set("local", "hook", value("the one of this webhook"))
      yield* dam.run({ url: hook, secret: "hook" })
      const [request] = yield* dam.requests
      const signature = request?.headers[EzthrottleSignature.headerName] ?? ""
      const body = request?.body as Uint8Array // the dam sends bytes
      const timestamp = Number(/t=(\d+)/.exec(signature)?.[1])
      const by = (secret: string) =>
        EzthrottleSignature.sign({ body, secrets: [Redacted.make(secret)], timestamp }) === signature
      assert.isTrue(by("the one of this webhook"))
      assert.isFalse(by("the one of the customer"))
    })
  )

  it.effect("is told by a link where it wants one: signed, for one job, for a while", () =>
    Effect.gen(function* () {
      const dam = yield* world(undefined, { publicUrl: "https://dam.example/" })
      const id = yield* dam.run({ url: hook, body: "link" })
      const [request] = yield* dam.requests
      const event = Result.getOrThrow(WebhookEvent.decode(request?.body as Uint8Array)) // the dam sends bytes
      assert.deepInclude(event, { jobId: id, status: "success" })
      assert.deepInclude(event.response, { status: 200, body: new Uint8Array(0) })
      assert.strictEqual(jsonOf(request?.body).response.body_bytes, answered.length)
      const link = new URL(event.bodyUrl ?? "")
      assert.strictEqual(`${link.origin}${link.pathname}`, `https://dam.example/api/v1/results/${id}`)
      const given = {
        jobId: id,
        expires: Number(link.searchParams.get("expires")),
        signature: link.searchParams.get("signature") ?? ""
      }
      const ask = (change: Partial<Links.Link>) =>
        ResultRoutes.answerTo({ engine: { links: dam.links }, store: dam.store }, { ...given, ...change })
      assert.strictEqual(Reply.text(yield* ask({})), answered)
      const other = yield* dam.run({ url: hook })
      for (const change of [
        { jobId: other },
        { expires: given.expires + 1 },
        { signature: `${given.signature.slice(0, -2)}AA` },
        { signature: "" }
      ]) {
        assert.deepInclude(yield* Effect.flip(ask(change)), { status: 403, code: "invalid_link" })
      }
      yield* TestClock.adjust("1 hour")
      assert.deepInclude(yield* Effect.flip(ask({})), { status: 403 })
    })
  )

  it.effect("gets the id alone where nobody knows how this dam is reached", () =>
    Effect.gen(function* () {
      const dam = yield* world()
      const id = yield* dam.run({ url: hook, body: "link" })
      const { job_id, response } = jsonOf((yield* dam.requests)[0]?.body)
      assert.strictEqual(job_id, id)
      assert.deepStrictEqual(response, {
        status_code: 200,
        headers: { "content-type": "text/html" },
        body_bytes: answered.length
      })
    })
  )

  it.effect("that has answered 413 is told by a link from then on, where the dam is told to", () =>
    Effect.gen(function* () {
      for (const thinAfter413 of [true, false]) {
        const receivers = Script.always(Script.inTurn({ status: 413 }, { status: 204 }))
        const dam = yield* world(receivers, { publicUrl: "https://dam.example", thinAfter413 })
        yield* dam.run({ url: hook })
        yield* TestClock.adjust("1 hour")
        const bodies = (yield* dam.requests).map(({ body }) => jsonOf(body).response)
        assert.strictEqual(bodies.length, 2)
        assert.strictEqual(bodies[0].body, answered)
        assert.strictEqual(bodies[1].body === undefined, thinAfter413)
      }
    })
  )
})

describe("the terms of a webhook", () => {
  it.effect("stand in both JSON forms, and are refused where they cannot be", () =>
    Effect.gen(function* () {
      const webhook = { url: hook, headers: { "x-key": Step.secret("hook") }, secret: "sign", body: "link" } as const
      const step = Step.webhooks(Step.get(url), [webhook])
      assert.deepStrictEqual(Step.toJson(step).webhooks, [webhook])
      assert.deepStrictEqual(yield* Step.decode(Step.toJson(step)), step)
      for (const [terms, field] of [
        [{ headers: { authorization: "Bearer s3cret" } }, "webhooks[0].headers.authorization"],
        [{ headers: { Host: "a.example" } }, "webhooks[0].headers.Host"],
        [{ headers: { "webhook-id": "1" } }, "webhooks[0].headers.webhook-id"],
        [{ secret: "a b" }, "webhooks[0].secret"],
        [{ body: "none" }, "webhooks[0].body"],
        [{ boby: "link" }, "webhooks[0].boby"]
      ] as const) {
        try {
          Step.webhooks(Step.get(url), [{ url: hook, ...terms } as Step.WebhookOptions])
          assert.fail(`${field} was taken`)
        } catch (error) {
          assert.deepInclude(error, { field })
          assert.notInclude(String(error), "s3cret")
        }
        const json = { url, webhooks: [{ url: hook, ...terms }] }
        const refusal = yield* Effect.flip(Step.decode(json))
        assert.strictEqual(refusal.field, field)
      }
    })
  )
})
