/**
 * EZThrottle over HTTP: takes steps, shows jobs, tells results, keeps webhook secrets.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as EzthrottleApi from "../transport/EzthrottleApi.ts"
import * as RemoteTransport from "../transport/RemoteTransport.ts"
import type { EncodeOptions } from "../wire/Job.ts"
import * as RemoteCredentials from "./RemoteCredentials.ts"
import * as RemoteJobs from "./RemoteJobs.ts"
import * as RemoteMany from "./RemoteMany.ts"
import * as RemoteOrders from "./RemoteOrders.ts"
import * as RemoteSchedules from "./RemoteSchedules.ts"
import * as RemoteSecrets from "./RemoteSecrets.ts"
import * as RemoteVerbs from "./RemoteVerbs.ts"
import { type JobReceiver, Service, toldTo } from "./Service.ts"

/**
 * What the service can be told besides how to reach it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions extends EncodeOptions {
  /**
   * Where results come from when the service does not tell them. Without one, waiting fails with `CannotAwait`. It may
   * also keep back children of a job to run them here.
   */
  readonly receiver?: JobReceiver | undefined
}

/**
 * Where EZThrottle is, who is calling, and where results come from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends EzthrottleApi.Options, ServiceOptions {}

/**
 * Makes the service over calls that exist already.
 *
 * **Details** — a wait follows the job's event stream, attaching again after a disconnect, else polls. It gives up
 * when the service could not be reached ten times in a row, with pauses that double up to 30 seconds. Secrets set here
 * are remembered for `rotate` as long as the service lives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  api: EzthrottleApi.EzthrottleApi["Service"],
  options: ServiceOptions = {}
): Effect.Effect<Service["Service"]> =>
  Effect.map(RemoteSecrets.make(api), (secrets) => ({
    transport: toldTo(RemoteTransport.make(api, options), options.receiver),
    results: RemoteJobs.results(api, options.receiver),
    job: RemoteJobs.job(api),
    explain: RemoteJobs.explain(api),
    runNow: RemoteVerbs.post(api, "run-now"),
    change: RemoteVerbs.change(api),
    cancel: RemoteVerbs.post(api, "cancel"),
    rerun: RemoteVerbs.post(api, "rerun"),
    erase: RemoteVerbs.erase(api),
    list: RemoteVerbs.list(api),
    failures: RemoteVerbs.failures(api),
    many: RemoteMany.make(api, options),
    secrets,
    schedules: RemoteSchedules.make(api),
    credentials: RemoteCredentials.make(api),
    orders: RemoteOrders.make(api)
  }))

/**
 * The same options with a dam's way of carrying bytes, where it is a dam that is called.
 *
 * @internal
 */
export const readable = (options: Options = {}): Options => ({
  ...options,
  binary: options.binary ?? (options.dam === undefined ? "refuse" : "base64")
})

/**
 * Provides the service over the `HttpClient` of the surroundings. A missing API key shows when a call is made.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Service, never, HttpClient.HttpClient> =>
  Layer.effect(
    Service,
    Effect.flatMap(HttpClient.HttpClient, (client) => make(EzthrottleApi.make(client, options), readable(options)))
  )

/**
 * Provides the service as the environment says: `EZTHROTTLE_API_KEY`, `EZTHROTTLE_DAM_URL`,
 * `EZTHROTTLE_TRACKTAGS_URL`, `EZTHROTTLE_URL`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options?: Omit<Options, "apiKey" | "dam" | "ezthrottleUrl" | "tracktagsUrl">
): Layer.Layer<Service, Config.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrap(Effect.map(EzthrottleApi.config, (read) => layer({ ...options, ...read })))
