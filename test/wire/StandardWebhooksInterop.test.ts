/** Against the convention's own library: what one signs, the other accepts. It reads the real clock. */
import { assert, describe, it } from "@effect/vitest"
import { Webhook } from "standardwebhooks"
import { sign, verify } from "../../src/wire/StandardWebhooks.ts"

const id = "msg_2b8Kz"
const body = '{"job_id":"job_01","text":"héllo 你好 🚀"}'
const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`
const seconds = () => Math.floor(Date.now() / 1000)

describe("the library standardwebhooks", () => {
  it("accepts what we sign", () => {
    const headers = { ...sign({ id, body, secrets: secret(1), timestamp: seconds() }) }
    assert.deepStrictEqual(new Webhook(secret(1)).verify(body, headers), JSON.parse(body))
    assert.throws(() => new Webhook(secret(2)).verify(body, headers))
    assert.throws(() => new Webhook(secret(1)).verify(`${body} `, headers))
  })

  it("accepts both secrets of a rotation", () => {
    const headers = { ...sign({ id, body, secrets: [secret(1), secret(2)], timestamp: seconds() }) }
    for (const known of [secret(1), secret(2)]) {
      assert.deepStrictEqual(new Webhook(known).verify(body, headers), JSON.parse(body))
    }
  })

  it("signs what we accept, byte for byte as we would", () => {
    const timestamp = 1_760_000_000
    const signature = new Webhook(secret(1)).sign(id, new Date(timestamp * 1000), body)
    const delivery = { id, timestamp: `${timestamp}`, signature, body, secrets: secret(1), now: timestamp }
    assert.strictEqual(verify(delivery)._tag, "Valid")
    assert.strictEqual(verify({ ...delivery, secrets: secret(2) })._tag, "SignatureMismatch")
    assert.strictEqual(signature, sign({ id, body, secrets: secret(1), timestamp })["webhook-signature"])
  })
})
