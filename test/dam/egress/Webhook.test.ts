import { assert, describe, it } from "@effect/vitest"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Webhook from "../../../src/dam/egress/Webhook.ts"

const problem = (urls: ReadonlyArray<string>, terms: Partial<Webhook.WebhookTerms> = {}) =>
  Webhook.problemIn({ policy: EgressPolicy.publicOnly, httpsOnly: false, ...terms }, "urls", urls)

describe("where webhooks may go", () => {
  it("is what the egress policy lets through", () => {
    assert.isUndefined(problem([]))
    assert.isUndefined(problem(["https://ops.example.com/", "http://ops.example.com/"]))
    assert.match(
      problem(["https://ops.example.com/", "http://10.0.0.7/"]) ?? "",
      /^urls\[1\]: DeniedAddress: 10\.0\.0\.7 /
    )
    assert.match(problem(["https://me:pw@ops.example.com/"]) ?? "", /^urls\[0\]: CredentialsInUrl: /)
    assert.isUndefined(problem(["http://10.0.0.7/"], { policy: EgressPolicy.open }))
  })

  it("is https where nothing else is told", () => {
    const https = { httpsOnly: true }
    assert.strictEqual(problem(["http://ops.example.com/"], https), "urls[0]: webhooks are told over https only")
    assert.isUndefined(problem(["HTTPS://ops.example.com/"], https))
  })
})
