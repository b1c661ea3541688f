/** The orders of a caller, at a dam. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import * as Wire from "../wire/Orders.ts"
import { errorIn } from "../wire/Proxy.ts"
import { isId, type Reason, refusalOf } from "./RemoteJobs.ts"
import { NotOffered, OrderNotFound, OrderNotStopped, type Orders, ServiceError } from "./Service.ts"

type Refusal = Reason | NotOffered | OrderNotFound | OrderNotStopped

/** Makes the calls. */
export const make = (api: EzthrottleApi["Service"]): Orders => ({
  stopped: Effect.mapError(
    api.direct({ path: all, read: reading("", Wire.readAll) }),
    (reason) => new ServiceError({ reason })
  ),
  resume: (key) =>
    Effect.mapError(
      isId(key)
        ? api.direct({
            method: "POST",
            path: `${all}/${encodeURIComponent(key)}/resume`,
            read: reading(key, Wire.read)
          })
        : Effect.fail<Refusal>(new OrderNotFound({ order: key })),
      (reason) => new ServiceError({ reason })
    )
})

const all = "/api/v1/orders"

const reading =
  <A, E extends Refusal>(key: string, read: (body: string) => Result.Result<A, E>) =>
  (answer: DirectAnswer): Result.Result<A, Refusal> => {
    const { code } = errorIn(answer.body)
    if (code === "order_not_found") return Result.fail(new OrderNotFound({ order: key }))
    if (code === "order_not_stopped") return Result.fail(new OrderNotStopped({ order: key }))
    const refusal = refusalOf(key, answer)
    if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation: "orders of jobs" }))
    return refusal === undefined ? read(answer.body) : Result.fail(refusal)
  }
