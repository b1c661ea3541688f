/** Takes one delivery to its receiver: trusted where it has to be, in its turn, signed. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RetryAfter from "../../engine/RetryAfter.ts"
import { sending } from "../../run/Sending.ts"
import * as Reply from "../../step/Reply.ts"
import type { TransportError } from "../../step/Failure.ts"
import { makeStep } from "../../step/StepValue.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as Secrets from "../../transport/Secrets.ts"
import type { StoredDelivery } from "../job/Delivery.ts"
import type { L8, Sign } from "../l8/L8.ts"
import { receiverLane } from "../job/LaneName.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { Going } from "../lane/Permit.ts"
import * as Shortages from "../lane/Shortages.ts"
import type { NamedSecrets, Revealed } from "../secrets/NamedSecrets.ts"
import { breachOf } from "../secrets/SecretRules.ts"
import type { SecretPort, StoredSecrets } from "../store/SecretRecords.ts"
import { untilWritten } from "../store/StoreError.ts"
import { brokenAttempt, type Made } from "./Schedule.ts"
import type { Links } from "./Links.ts"
import * as Signing from "./Signing.ts"
import { thinned } from "./Thin.ts"

/** What a courier works with. */
export interface Courier {
  readonly store: Pick<SecretPort, "secrets">
  readonly lanes: LaneRouter
  readonly transport: Exchanging
  /** Signs with a key pair beside the customer's secrets; `undefined`: only those do. */
  readonly signer: Signing.Signer | undefined
  readonly l8: L8 | undefined
  /** What this machine has lacked lately. */
  readonly shortages: Shortages.Shortages
  /** What headers of webhooks may name, and what may sign them. Defaults to nothing. */
  readonly secrets?: Pick<NamedSecrets, "call"> | undefined
  /** Where answers may be had that are not sent along. Defaults to nowhere. */
  readonly links?: Pick<Links, "to"> | undefined
  /** Sends a link in place of the answer's body once a receiver has answered 413. Defaults to `false`. */
  readonly thinAfter413?: boolean | undefined
}

/** What an attempt is made with. */
interface Proofs {
  readonly secrets: StoredSecrets | undefined
  readonly sign: Sign | undefined
  /** Why there is no signature of L8, where one is preferred. */
  readonly unsigned: string | undefined
  /** The lane it stands in. */
  readonly lane: string
}

/**
 * Makes one attempt. Its time begins with its departure, once the receiver is trusted where it has to be. Answers nothing
 * where it was no longer wanted when its moment came: nothing was sent then.
 */
export const call = Effect.fnUntraced(function* (
  courier: Courier,
  given: StoredDelivery,
  timeoutMillis: number,
  going: Going
): Effect.fn.Return<Made | undefined> {
  const { l8, lanes, store } = courier
  const delivery = isThin(courier, given)
    ? { ...given, body: thinned(given.body, courier.links?.to(given.jobId, yield* Clock.currentTimeMillis)) }
    : given
  const prepared = yield* Effect.result(
    l8?.prepare(delivery, regionOf(delivery), timeoutMillis, lanes) ?? Effect.succeed(undefined)
  )
  if (prepared._tag === "Failure") {
    const at = yield* Clock.currentTimeMillis
    return brokenAttempt(at, `L8 is required and the receiver is not trusted: ${prepared.failure.problem}`)
  }
  const by = prepared.success
  const l8Proof =
    typeof by === "function" ? { sign: by, unsigned: undefined } : { sign: undefined, unsigned: by?.problem }
  const lane = receiverLane(delivery.lane)
  const secretsOf = store
    .secrets(delivery.customer)
    .pipe(Effect.catch(() => untilWritten(delivery.jobId, store.secrets(delivery.customer))))
  // waited for before its turn, so that nobody waits for a store while he has a permit
  yield* secretsOf
  return yield* Effect.acquireUseRelease(
    lanes.acquire(lane, "", { jobId: delivery.id }),
    ({ depart }) =>
      Effect.flatMap(depart(going), (departed) =>
        departed
          ? // looked up again: what was removed while it waited signs nothing
            Effect.flatMap(secretsOf, (secrets) =>
              send(courier, delivery, timeoutMillis, { ...l8Proof, secrets, lane })
            )
          : nothing
      ),
    ({ release }) => release
  )
})

const isThin = ({ thinAfter413 = false }: Courier, { attempts, terms }: StoredDelivery): boolean =>
  terms?.body === "link" || (thinAfter413 && attempts.some(({ status }) => status === 413))

const send = Effect.fnUntraced(function* (
  courier: Courier,
  delivery: StoredDelivery,
  timeoutMillis: number,
  proofs: Proofs
): Effect.fn.Return<Made> {
  const at = yield* Clock.currentTimeMillis
  const from = yield* Clock.monotonicTimeNanos
  const named = delivery.terms === undefined ? undefined : courier.secrets?.call(delivery.customer)
  const signing = yield* Effect.result(signedWith(delivery, proofs.secrets, named))
  if (signing._tag === "Failure") return brokenAttempt(at, signing.failure.message)
  const own = yield* headersOf(courier, delivery, at, { ...proofs, secrets: signing.success })
  const step = makeStep({
    request: { method: "POST", url: delivery.url, headers: { ...delivery.terms?.headers, ...own }, body: delivery.body }
  })
  const region = regionOf(delivery)
  const exchange = {
    request: step.request,
    region,
    step,
    timeoutMillis,
    attempt: `${delivery.id}/${at}`,
    reveal: delivery.terms?.headers && (named?.reveal ?? nothingKept)
  }
  const answer = yield* Effect.withFiber(sending(courier.transport, exchange)).pipe(
    // what a receiver says at length is not read, but it has said whether it took the delivery
    Effect.catch((error) =>
      error.reason._tag === "ResponseTooLarge" && error.kept !== undefined
        ? Effect.succeed(error.kept)
        : Effect.fail(error)
    ),
    Effect.result
  )
  const latency = Number((yield* Clock.monotonicTimeNanos) - from) / 1e6
  const unsigned = proofs.unsigned === undefined ? {} : { unsigned: proofs.unsigned }
  if (answer._tag === "Failure") {
    const { message, reason } = answer.failure
    const lacks = Shortages.isShortage(reason) ? reason.message : undefined
    return { ...brokenAttempt(at, message), latency, lacks, ...unsigned }
  }
  Shortages.over(courier.shortages, proofs.lane)
  yield* courier.lanes.observe({
    lane: proofs.lane,
    account: "",
    response: answer.success,
    jobId: delivery.jobId,
    sentAt: Number(from) / 1e6
  })
  const { headers, status } = answer.success
  // the next attempt has another token
  if (status === 401 && named !== undefined) yield* named.refused
  const retryAfter = RetryAfter.parse(headers, yield* Clock.currentTimeMillis)
  return {
    at,
    latency,
    status,
    error: undefined,
    excerpt: Reply.text(answer.success).slice(0, excerptLength),
    retryAfter: retryAfter === undefined ? 0 : Duration.toMillis(retryAfter),
    ...unsigned
  }
})

/** What signs it: the secret that its webhook names, else those of the customer. */
const signedWith = (
  { terms, url }: StoredDelivery,
  secrets: StoredSecrets | undefined,
  named: Revealed | undefined
): Effect.Effect<StoredSecrets | undefined, TransportError> => {
  const name = terms?.secret
  if (name === undefined) return Effect.succeed(secrets)
  return named === undefined
    ? Secrets.refuse(name, "unknown", "this dam keeps none")
    : Effect.flatMap(named.secret(name, url), (primary) =>
        breachOf({ primary, secondary: undefined }) === undefined
          ? Effect.succeed({ primary, secondary: undefined })
          : Secrets.refuse(name, "unfit", "what signs has 16 to 1024 characters")
      )
}

const nothingKept = Secrets.revealing(() => Effect.undefined)

const headersOf = ({ signer }: Courier, delivery: StoredDelivery, at: number, { secrets, sign }: Proofs) => {
  const own = Effect.map(Signing.headers(delivery, secrets, at, signer), (signed) => ({
    "Content-Type": "application/json",
    ...signed
  }))
  return sign === undefined
    ? own
    : Effect.flatMap(own, (headers) => Effect.map(sign(at), (signed) => ({ ...headers, ...signed })))
}

const nothing = Effect.succeed(undefined)

/** Egress points in the order they were named, the next one at each attempt. */
const regionOf = ({ attempts, regions }: StoredDelivery): string | undefined =>
  regions[attempts.length % Math.max(1, regions.length)]

/** What is kept of an answer, in characters; more than this many bytes is not read. */
const excerptLength = 4096
