/**
 * What a dam keeps beside jobs, as callers of the facade write it: credentials that headers name, and orders.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Json } from "effect/Schema"
import { EZThrottle } from "../run/ClientService.ts"
import type { Credential, Order, ServiceError } from "../run/Service.ts"
import { EZThrottleError, toError } from "./Errors.ts"
import * as Given from "./Given.ts"
import { type CallOptions, run, type Runtime } from "./Running.ts"

/**
 * What `putCredential` takes: all of a credential, each time.
 *
 * @category models
 * @since 0.1.0
 */
export interface CredentialOptions {
  /** Where it may go, such as `api.example.com`; anywhere else it is refused, and never sent. */
  readonly hosts: ReadonlyArray<string>
  /** What is sent; one of `value` and `tokenUrl` is said. */
  readonly value?: string | undefined
  /** Where tokens are fetched by the client credentials grant of OAuth 2.0. */
  readonly tokenUrl?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  /** How the client shows who it is: in an `Authorization` header, or among the fields of the form. Defaults to `basic`. */
  readonly clientAuth?: "basic" | "body" | undefined
}

/**
 * A credential as the dam shows it, without what is secret of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CredentialView {
  readonly name: string
  /** `value` or `oauth2`. */
  readonly kind: string
  readonly hosts: ReadonlyArray<string>
  readonly [key: string]: Json
}

/**
 * An order as the dam shows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderView {
  readonly key: string
  /** Unfinished jobs. */
  readonly jobs: number
  /** The job in front, which all others wait for. */
  readonly first: string | null
  /** The job whose failure has stopped it. */
  readonly stopped_by: string | null
  /** When that was, epoch milliseconds. */
  readonly stopped_at: number | null
}

/** What the client does with them. */
export const make = (runtime: Runtime) => {
  const use = <A>(
    call: (client: EZThrottle["Service"]) => Effect.Effect<A, ServiceError>,
    options: CallOptions | undefined
  ): Promise<A> =>
    run(
      runtime,
      Effect.mapError(Effect.flatMap(EZThrottle, call), (error) => toError(error)),
      options
    )
  return {
    putCredential: async (name: string, credential: CredentialOptions, options?: CallOptions) => {
      const given = givenOf(credential)
      return credentialView(await use(({ credentials }) => credentials.put(name, given), options))
    },
    listCredentials: async (options?: CallOptions) =>
      (await use(({ credentials }) => credentials.list, options)).map(credentialView),
    deleteCredential: (name: string, options?: CallOptions) =>
      use(({ credentials }) => credentials.delete(name), options),
    listStoppedOrders: async (options?: CallOptions) =>
      (await use(({ orders }) => orders.stopped, options)).map(orderView),
    resumeOrder: async (key: string, options?: CallOptions) =>
      orderView(await use(({ orders }) => orders.resume(key), options))
  }
}

/** Every name of it known; what it may be the dam says. */
const givenOf = (given: CredentialOptions) => {
  if (!Given.isObject(given)) throw new EZThrottleError("putCredential: Expected an object")
  Given.checkNames(given, known, "putCredential.")
  const { clientSecret, value, ...same } = given
  return { ...same, value: secretOf(value), clientSecret: secretOf(clientSecret) }
}

const secretOf = (text: string | undefined) => (text === undefined ? undefined : Redacted.make(text))

const known = ["hosts", "value", "tokenUrl", "clientId", "clientSecret", "scope", "audience", "clientAuth"]

const credentialView = ({ answer, hosts, kind, name }: Credential): CredentialView => ({ ...answer, name, kind, hosts })

const orderView = ({ first, jobs, key, stopped }: Order): OrderView => ({
  key,
  jobs,
  first: first ?? null,
  stopped_by: stopped?.jobId ?? null,
  stopped_at: stopped?.at ?? null
})
