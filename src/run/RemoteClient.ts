/** The service of a client over `fetch`: EZThrottle, or the dam that is named instead. */
import type * as Effect from "effect/Effect"
import * as EzthrottleApi from "../transport/EzthrottleApi.ts"
import * as RemoteService from "./RemoteService.ts"
import type { Service } from "./Service.ts"

/** Makes it of what is settled: nothing more is read from the environment. */
export const make = (
  options: RemoteService.Options & EzthrottleApi.FetchOptions
): Effect.Effect<Service["Service"]> => {
  const settled = RemoteService.readable(options)
  return RemoteService.make(EzthrottleApi.makeFetch({ ...settled, fetch: options.fetch }), settled)
}
