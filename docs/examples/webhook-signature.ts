/** Who receives a webhook checks its signature: over the raw body, with the primary or the secondary secret. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { EZThrottle, Step } from "ezthrottle-effect"
import { authenticate, headerName } from "ezthrottle-effect/webhook"
import { damScene, holds, tell } from "./support/Scene.ts"
import { World } from "./support/World.ts"

const old = Redacted.make("last year's secret")
const fresh = Redacted.make("this year's secret")

export default damScene(
  import.meta,
  "A webhook proves who sent it, also while secrets rotate",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const { secrets } = yield* EZThrottle.EZThrottle
    yield* secrets.create(old)
    yield* secrets.rotate(fresh)
    yield* EZThrottle.submit(
      Step.post(`${upstream.url}/orders/signed`).pipe(Step.webhooks([{ url: `${upstream.url}/hooks/signed` }]))
    )
    const { body, headers } = yield* upstream.called("/hooks/signed")
    yield* tell({ kind: "webhook", what: "POST /hooks/signed", result: "arrived" })
    const header = headers[headerName.toLowerCase()]

    const now = yield* authenticate({ header, body, secrets: [fresh, old] })
    yield* holds("it is signed with the new secret", now.secretIndex, 0)

    const behind = yield* authenticate({ header, body, secrets: old })
    yield* holds("a receiver that only has the old one still accepts it", behind._tag, "Valid")

    const forged = yield* Effect.flip(authenticate({ header, body: body.replace("success", "failed"), secrets: fresh }))
    yield* holds("one changed word, and it is refused", forged.reason._tag, "SignatureMismatch")
  })
)
