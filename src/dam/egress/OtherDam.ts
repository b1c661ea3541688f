/**
 * Another dam as the place a region leaves from: each call is one job there, handed over under a key of the attempt's
 * own, so that an attempt that is made again after a crash finds the job that the first one made.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as RemoteService from "../../run/RemoteService.ts"
import type { ServiceError } from "../../run/Service.ts"
import { ConnectionFailed, ResponseTooLarge, TransportError } from "../../step/Failure.ts"
import type { Failure } from "../../step/Failure.ts"
import type { Receipt, Response } from "../../step/Reply.ts"
import * as SecretHeader from "../../step/SecretHeader.ts"
import * as Step from "../../step/Step.ts"
import { makeStep } from "../../step/StepValue.ts"
import * as EzthrottleApi from "../../transport/EzthrottleApi.ts"
import type { Exchange, Exchanging } from "../../transport/HttpTransport.ts"
import * as Secrets from "../../transport/Secrets.ts"
import * as ToldFailure from "../../wire/ToldFailure.ts"
import * as IntakeId from "../job/JobId.ts"
import type { OtherDam } from "./Region.ts"

/** How long jobs that are wanted no more may take to be called off when this dam stops. */
const farewell = "2 seconds"

/** What calls to another dam share. */
interface Link {
  readonly api: EzthrottleApi.EzthrottleApi["Service"]
  readonly service: Effect.Success<ReturnType<typeof RemoteService.make>>
  readonly maxResponseBytes: number
  /** Goes on without whoever began it. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

/** Makes the transport. It keeps no connection open but those of calls under way. */
export const make = Effect.fnUntraced(function* (
  { apiKey, url }: OtherDam,
  maxResponseBytes: number
): Effect.fn.Return<Exchanging, never, Scope.Scope> {
  const api = EzthrottleApi.makeFetch({ apiKey, tracktagsUrl: url, ezthrottleUrl: url })
  const service = yield* RemoteService.make(api, { binary: "base64", extensions: "send" })
  const calls = yield* FiberSet.make<unknown, unknown>()
  const fork = yield* FiberSet.runtime(calls)()
  yield* Effect.addFinalizer(() => Effect.timeoutOption(FiberSet.awaitEmpty(calls), farewell))
  const link: Link = { api, service, maxResponseBytes, fork }
  return { kind: "exchanging", regions: Effect.succeed([]), send: (exchange) => send(link, exchange) }
})

const send = Effect.fnUntraced(function* (
  self: Link,
  { attempt, request, step: { attemptTimeout, retryUnsafe }, timeoutMillis }: Exchange
): Effect.fn.Return<Response, TransportError> {
  const [named] = SecretHeader.among(request.headers)
  if (named !== undefined) {
    const detail = "the call would leave through another dam, and secrets do not go there"
    return yield* Secrets.refuse(named[1].secret, "region", detail)
  }
  const key = attempt ?? (yield* IntakeId.fresh)
  // not of the caller's life: whoever gives up has to learn the id of what is to be called off
  const handedOver = self.fork(handOver(self, callOf({ request, retryUnsafe, attemptTimeout }, timeoutMillis), key))
  return yield* Fiber.join(handedOver).pipe(
    Effect.flatMap(({ jobId }) => answer(self, jobId, timeoutMillis)),
    Effect.mapError((error) => {
      const reason = seenFromHere(error)
      // with what was kept of the answer
      return error._tag === "TransportError" && error.reason === reason ? error : new TransportError({ reason })
    }),
    Effect.onInterrupt(() =>
      Effect.sync(
        () => void self.fork(Effect.flatMap(Fiber.join(handedOver), ({ jobId }) => Effect.ignore(cancel(self, jobId))))
      )
    )
  )
})

/** A job that was called off when this dam stopped is the answer to nothing. */
const handOver = Effect.fnUntraced(function* (self: Link, step: Step.Step, key: string) {
  for (let nth = 1; ; nth++) {
    const receipt = yield* submit(self, step, nth === 1 ? key : `${key}~${nth}`)
    if (!receipt.duplicate || receipt.status !== "cancelled") return receipt
  }
})

/** Again under the same key when it is not known whether the other dam has heard it. */
const submit = ({ service }: Link, step: Step.Step, key: string): Effect.Effect<Receipt, TransportError> =>
  service.transport
    .submit({ step, key, retryAt: undefined })
    .pipe(Effect.retry({ while: mayHaveArrived, times: 2, schedule: Schedule.exponential("200 millis") }))

const answer = Effect.fnUntraced(function* (self: Link, jobId: string, timeoutMillis: number) {
  const { maxResponseBytes, service } = self
  const { error, response } = yield* service.results.await(jobId)
  if (response === undefined || error !== undefined) {
    const told = lastOf((yield* service.job(jobId)).answer)
    if (response === undefined || !isWhole(told.error_tag)) {
      return yield* Effect.fail(
        new TransportError({
          reason: ToldFailure.heard(told, error ?? "it says no more", timeoutMillis),
          ...(response === undefined ? {} : { kept: response })
        })
      )
    }
  }
  return response.body.length <= maxResponseBytes
    ? response
    : yield* failed(new ResponseTooLarge({ status: response.status, limitBytes: maxResponseBytes }))
})

const cancel = ({ api }: Link, jobId: string) =>
  api
    .proxied({
      path: `/api/v1/jobs/${encodeURIComponent(jobId)}/cancel`,
      method: "POST",
      read: () => Result.succeed(undefined)
    })
    .pipe(Effect.retry({ times: 2, schedule: Schedule.exponential("200 millis") }))

/** One call and nothing else: what to do after it is decided here. A policy that names 429 has it answered at once. */
const callOf = (
  call: Pick<Step.Step, "request" | "retryUnsafe" | "attemptTimeout">,
  timeoutMillis: number
): Step.Step =>
  makeStep(call).pipe(
    Step.retryPolicy({ maxRetries: 0, maxReroutes: 0, retryCodes: [429], rerouteCodes: [] }),
    Step.onFailureTimeout(timeoutMillis)
  )

const failed = (reason: Failure) => Effect.fail(new TransportError({ reason }))

const mayHaveArrived = ({ reason }: TransportError): boolean =>
  reason._tag === "ServiceUnreachable" && reason.maybeAccepted

/** The one attempt there, as the job shows it. Interrupted, by its deadline for instance, it has no error. */
const lastOf = (answer: unknown): ToldFailure.ToldFailure =>
  Option.match(decodeEnd(answer), {
    onNone: () => ({}),
    onSome: ({ attempts }) => attempts.at(-1) ?? {}
  })

const decodeEnd = Schema.decodeUnknownOption(Schema.Struct({ attempts: Schema.Array(ToldFailure.schema) }))

/** What was cut short or cannot be decoded is told with the beginning that was kept. */
const isWhole = (tag: string | undefined): boolean =>
  tag !== "ResponseTooLarge" && tag !== "InvalidEncoding" && tag !== "UnsupportedEncoding"

/** A dam that cannot be used is a region that cannot be used; where it stands is the operator's business. */
const seenFromHere = ({ reason }: TransportError | ServiceError): Failure => {
  const lost = (kind: "unreachable" | "other", detail: string) =>
    new ConnectionFailed({ kind, detail: `the dam of this region ${detail}` })
  switch (reason._tag) {
    case "ServiceUnreachable":
      return lost(reason.maybeAccepted ? "other" : "unreachable", "cannot be reached")
    case "ServiceDenied":
    case "MissingApiKey":
      return lost("unreachable", "refuses the API key that it is given")
    case "ServiceRateLimited":
      return lost("unreachable", "takes no more for now")
    case "JobRefused":
      return lost("unreachable", `refuses the call: ${reason.received}`)
    case "ServiceFailed":
    case "MalformedAnswer":
      return lost("other", "failed")
    case "JobNotFound":
    case "CannotAwait":
    case "NotOffered":
    case "WrongJobState":
    case "BatchNotFound":
    case "AwaitTimedOut":
    case "NoSecrets":
    case "OldSecretUnknown":
    case "WeakSecret":
    case "InvalidSchedule":
    case "ScheduleNotFound":
    case "TooManySchedules":
    case "CredentialRefused":
    case "CredentialNotFound":
    case "OrderNotFound":
    case "OrderNotStopped":
      return lost("other", "does not tell how the call ended")
    default:
      return reason
  }
}
